"""Whose code counts, how often and until when."""

from __future__ import annotations

import json

from bundler.site.invitation.invitation_book import MAX_WRONG_TRIES, Invitation, InvitationBook

ONE, TWO, WRONG = b"1" * 16, b"2" * 16, b"3" * 16


def book() -> InvitationBook:
    return InvitationBook([Invitation.of("edge1", ONE, 100.0), Invitation.of("edge2", TWO, 200.0)])


def test_a_code_counts_once() -> None:
    here = book()
    assert here.judge("edge1", ONE, 0) == "accepted"
    here.use("edge1")
    assert here.judge("edge1", ONE, 0) == "used"
    assert here.judge("edge2", TWO, 0) == "accepted"
    assert here.endings == {"edge1": "used", "edge2": "open"}
    assert here.is_open


def test_five_wrong_tries_end_it_and_no_other() -> None:
    here = book()
    assert [here.judge("edge1", WRONG, 0) for _ in range(MAX_WRONG_TRIES)] == ["wrong-code"] * 5
    assert here.judge("edge1", ONE, 0) == "exhausted"
    assert here.judge("edge1", WRONG, 0) == "exhausted"
    assert here.judge("edge2", TWO, 0) == "accepted"


def test_a_code_is_bound_to_its_host() -> None:
    here = book()
    assert here.judge("edge2", ONE, 0) == "wrong-name"
    assert [here.judge("edge3", ONE, 0) for _ in range(4)] == ["wrong-name"] * 4
    assert here.judge("edge1", ONE, 0) == "exhausted"
    # its own is untouched
    assert here.judge("edge2", TWO, 0) == "accepted"


def test_who_was_not_invited_ends_nothing() -> None:
    here = book()
    assert {here.judge("edge3", WRONG, 0) for _ in range(20)} == {"unknown-host"}
    assert here.endings == {"edge1": "open", "edge2": "open"}


def test_it_expires_at_its_time() -> None:
    here = book()
    assert here.judge("edge1", ONE, 99.9) == "accepted"
    assert here.judge("edge1", ONE, 100.0) == "expired"
    assert here.is_open
    here.expire(200)
    assert not here.is_open


def test_what_could_not_be_given_counts_again() -> None:
    here = book()
    here.use("edge1")
    here.give_back("edge1")
    assert here.judge("edge1", ONE, 0) == "accepted"
    assert here.judge("edge1", ONE, 100) == "expired"


def test_nothing_that_is_kept_or_shown_holds_a_code() -> None:
    here = book()
    kept = json.dumps(here.value)
    assert ONE.decode() not in kept
    assert ONE.hex() not in kept
    assert "code_sha256=" not in repr(Invitation.of("edge1", ONE, 1))
