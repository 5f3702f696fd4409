"""How robots are asked for, over a scripted transport; what a Harbor makes of it: tests/integration/test_robot.py."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from bundler.model.robot import NewRobot
from bundler.net.harbor.projects import HarborApi
from bundler.net.harbor.robots import HarborRobots
from bundler.net.registry.credentials import NoLogins
from bundler.net.registry.endpoint import RegistryEndpoint
from bundler.net.retry import Retry
from tests.fakes.transport import Asked, FakeTransport, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = RegistryEndpoint("master", "https://master", insecure=False)


def robots(answer: Callable[[Asked], Reply]) -> tuple[HarborRobots, FakeTransport]:
    transport = FakeTransport(answer)
    return HarborRobots(HarborApi(lambda: ENDPOINT, transport, NoLogins(), Retry(attempts=1))), transport


@pytest.mark.parametrize("projects", [("demo",), ("demo", "edge")])
def test_a_query_means_the_same_after_harbor_has_unescaped_it_once_more(projects: tuple[str, ...]) -> None:
    wanted = NewRobot("edge-pull", projects)

    def answer(asked: Asked) -> Reply:
        if "/projects/" in asked.url:
            return Reply(body=b'{"project_id": 3}')
        (query,) = parse_qs(urlsplit(asked.url).query)["q"]
        terms = dict(term.split("=", 1) for term in unquote_plus(query).split(","))
        assert terms["name"] == wanted.stored_name
        assert ("ProjectID" in terms) == (len(projects) == 1)
        return Reply(body=json.dumps([{"id": 16, "name": f"robot${wanted.stored_name}"}]).encode())

    found = robots(answer)[0].find(wanted)
    assert found is not None
    assert found.id == 16


@pytest.mark.parametrize(
    "permissions",
    ["5", '"x"', "{}", "[5, null]", '[{"kind": "project", "access": 5}]', '[{"kind": "project", "access": ["pull"]}]'],
)
def test_rights_that_are_none_are_none(permissions: str) -> None:
    body = f'[5, {{"id": 16, "name": "robot$edge-pull", "expires_at": 1e999, "permissions": {permissions}}}]'
    listed = f'[{{"id": 17, "name": "robot$demo+edge-pull", "permissions": {permissions}}}]'
    for text in (body, listed):
        found = robots(partial(_listing, text))[0].find(NewRobot("edge-pull", ("demo",)))
        assert found is None or found.projects == frozenset()


def _listing(text: str, asked: Asked) -> Reply:
    return Reply(body=b'{"project_id": 3}' if "/projects/" in asked.url else text.encode())
