"""What is made of a Harbor's answers, over a scripted transport."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, PublishError
from bundler.net.harbor.projects import HarborApi
from bundler.net.interface import HarborHealth
from bundler.net.registry.credentials import NoLogins
from bundler.net.registry.endpoint import RegistryEndpoint
from bundler.net.retry import Retry
from tests.fakes.transport import FakeTransport, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = RegistryEndpoint("master", "https://master", insecure=False)
VERSION = Reply(200, body=b'{"harbor_version": "v2.5.0"}')


def harbor(answer: Callable[[], Reply]) -> HarborApi:
    retry = Retry(attempts=3, sleep=lambda _: None, jitter=lambda: 0.0)
    return HarborApi(lambda: ENDPOINT, FakeTransport(lambda _: answer()), NoLogins(), retry)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_harbor_that_is_starting_is_not_taken_for_another_registry(status: int) -> None:
    replies = [Reply(status), VERSION]
    assert harbor(lambda: replies.pop(0)).is_harbor()
    with pytest.raises(PublishError) as caught:
        harbor(lambda: Reply(status)).is_harbor()
    assert caught.value.id == ErrorId.PUSH_UNREACHABLE


def test_a_harbor_that_has_lost_its_database_and_its_settings_is_one_by_its_health() -> None:
    sick = {"status": "unhealthy", "components": [{"name": "database", "status": "unhealthy"}]}
    replies = [*[Reply(500)] * 3, Reply(200, body=json.dumps(sick).encode())]
    assert harbor(lambda: replies.pop(0)).is_harbor()


@pytest.mark.parametrize(
    "reply", [Reply(404), Reply(401), Reply(200, body=b"<html>"), Reply(200, body=b"{}"), Reply(200, body=b"[]")]
)
def test_other_registries_are_none(reply: Reply) -> None:
    assert not harbor(lambda: reply).is_harbor()


@pytest.mark.parametrize("components", [5, None, "x", [1, "core"], {}])
def test_components_that_are_none_are_left_out(components: object) -> None:
    body = json.dumps({"status": "unhealthy", "components": components}).encode()
    assert harbor(lambda: Reply(200, body=body)).health() == HarborHealth(healthy=False, unhealthy_components=())
