"""A robot's login comes in beside the logins that are there."""

from __future__ import annotations

import json

import pytest

from bundler.host.file_changes import CannotEditError
from bundler.model.robot import RobotLogin, client_config
from bundler.site.edits.docker_logins import with_logins

BROUGHT = client_config(("master",), RobotLogin("robot$edge-pull", "s3cret"))


def test_other_logins_and_keys_stay_and_a_second_time_changes_nothing() -> None:
    there = b'{"auths": {"other": {"auth": "x"}, "master": {"auth": "old"}}, "psFormat": "table"}'
    made = with_logins(there, BROUGHT)
    value = json.loads(made)
    assert value["psFormat"] == "table"
    assert value["auths"] == {"other": {"auth": "x"}, **json.loads(BROUGHT)["auths"]}
    assert with_logins(made, BROUGHT) == made


@pytest.mark.parametrize("there", [None, b"", b" \n", b"{}", b'{"auths": null}'])
def test_without_a_file_of_note_it_is_the_robot_s_alone(there: bytes | None) -> None:
    assert json.loads(with_logins(there, BROUGHT))["auths"] == json.loads(BROUGHT)["auths"]


@pytest.mark.parametrize(
    ("there", "brought"), [(None, None), (b"[", BROUGHT), (b"[]", BROUGHT), (b'{"auths": 1}', BROUGHT), (None, b"x")]
)
def test_what_is_no_such_file_is_refused(there: bytes | None, brought: bytes | None) -> None:
    with pytest.raises(CannotEditError):
        with_logins(there, brought)
