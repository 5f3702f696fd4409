"""Who may give which command."""

from __future__ import annotations

import pytest

from mirror.ftp.commands import COMMANDS
from mirror.ftp.rules import LOG_IN_FIRST, READ_ONLY, RULES, WRITING, refusal
from mirror.ftp.session import Session


@pytest.mark.parametrize("word", sorted(WRITING))
def test_nothing_can_be_written(word: str) -> None:
    assert refusal(word, "x", logged_in=True) == READ_ONLY
    assert refusal(word, "x", logged_in=False) == LOG_IN_FIRST
    assert word not in RULES


@pytest.mark.parametrize(
    ("word", "argument", "code"),
    [
        ("RETR", "", "501"),
        ("PWD", "x", "501"),
        ("XSHA256", "a", "502"),
        ("WHAT", "a", "500"),
        ("?", "", "500"),
        ("RETR", "a", ""),
        ("LIST", "", ""),
    ],
)
def test_commands_are_looked_at_before_they_are_obeyed(word: str, argument: str, code: str) -> None:
    assert refusal(word, argument, logged_in=True)[:3] == code


@pytest.mark.parametrize("word", sorted(RULES))
def test_strangers_hear_that_they_have_to_log_in(word: str) -> None:
    refused = refusal(word, "x", logged_in=False)
    looks = word in {"CWD", "LIST", "MDTM", "MLSD", "MLST", "NLST", "PASV", "EPSV", "PORT", "RETR", "SIZE", "STAT"}
    assert (refused == LOG_IN_FIRST) if looks else True
    assert RULES[word]["auth"] or refused != LOG_IN_FIRST or word == "STAT"


@pytest.mark.parametrize("word", sorted(RULES))
def test_every_command_that_is_known_is_obeyed_by_somebody(word: str) -> None:
    assert word in COMMANDS or callable(getattr(Session, f"ftp_{word.replace(' ', '_')}"))


def test_what_pyftpdlib_would_do_with_files_cannot_be_reached() -> None:
    own = {"TYPE", "MODE", "STRU", "SYST", "HELP", "SITE HELP", "FEAT", "OPTS", "PORT", "EPRT"}
    assert set(RULES) - set(COMMANDS) == own
