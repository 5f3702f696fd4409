"""USER, PASS and REIN: who is logged in, what a wrong password costs, and what is forgotten."""

from __future__ import annotations

import bcrypt
import pytest

from mirror.ftp.data_port import ScopedAddress
from mirror.ftp.interface import Account
from mirror.shared.failed_logins import FIRST_DELAY_S, FREE_FAILURES
from mirror.worker.users import read_users
from tests.fakes.ftp_control import FakeControl, FakeOwner

WRONG = "530 The password is wrong, or the user is not known."
HTPASSWD = b"edge:" + bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)) + b"\n"


@pytest.fixture
def owner() -> FakeOwner:
    """Return a server with a file of users."""
    return FakeOwner(users=read_users(HTPASSWD, "users"))


def reply_to(client: FakeControl, owner: FakeOwner, name: str, password: str) -> str:
    """Return the reply to a password; "" while it waits."""
    assert client.obey(owner, "USER", name).startswith("331")
    return client.obey(owner, "PASS", password)


@pytest.mark.parametrize("name", ["anonymous", "ftp", "Anonymous", "FTP"])
def test_without_users_anybody_is_anonymous(name: str) -> None:
    owner, client = FakeOwner(), FakeControl()
    assert client.obey(owner, "USER", name) == "331 Anonymous login: send any password."
    assert client.account == Account(name=name)
    assert client.obey(owner, "PASS", "") == "230 Welcome."
    assert client.account == Account(name=name, logged_in=True)
    assert client.obey(owner, "PASS", "") == "503 Send USER first."


def test_without_users_nobody_else_is_known() -> None:
    owner, client = FakeOwner(), FakeControl()
    assert client.obey(owner, "USER", "root") == "530 Only anonymous is known here."
    assert client.obey(owner, "PASS", "x") == "503 Send USER first."


def test_with_users_nobody_is_anonymous_and_no_name_is_refused(owner: FakeOwner) -> None:
    client = FakeControl()
    assert client.obey(owner, "USER", "ftp") == "530 Anonymous logins are not accepted."
    for name in ("edge", "nobody"):
        assert client.obey(owner, "USER", name) == "331 Send the password."


def test_where_tls_is_offered_passwords_wait_for_it(owner: FakeOwner) -> None:
    client = FakeControl(tls="offered")
    assert client.obey(owner, "USER", "edge").startswith("530 Passwords are accepted over TLS only")
    assert client.account.name == ""
    client.tls = "in use"
    assert client.obey(owner, "USER", "edge") == "331 Send the password."


def test_a_right_password_is_checked_in_the_thread_once(owner: FakeOwner) -> None:
    first, second = FakeControl(), FakeControl()
    assert reply_to(first, owner, "edge", "s3cret") == ""
    assert (first.paused, first.account) == (True, Account("edge"))
    owner.passwords.work()
    assert first.replies[-1] == "230 Welcome."
    assert (first.paused, first.account) == (False, Account("edge", "edge", logged_in=True))
    assert reply_to(second, owner, "edge", "s3cret") == "230 Welcome."
    assert owner.passwords.waiting == []


def test_of_many_with_one_password_only_the_first_is_hashed(
    owner: FakeOwner,
) -> None:
    clients = [FakeControl(), FakeControl()]
    for client in clients:
        assert reply_to(client, owner, "edge", "s3cret") == ""
    (first, _), (second, _) = owner.passwords.waiting
    assert first()
    owner.users = None  # the second has no need to look
    assert second()


@pytest.mark.parametrize(("name", "password"), [("edge", "wrong"), ("nobody", "s3cret"), ("edge", "\udcff")])
def test_a_wrong_password_costs_time_and_is_logged_without_a_name(owner: FakeOwner, name: str, password: str) -> None:
    client = FakeControl()
    assert reply_to(client, owner, name, password) == ""
    owner.passwords.work()
    assert (client.paused, client.replies[-1]) == (True, "331 Send the password.")
    assert owner.wait() == owner.limits.failure_delay_s
    assert (client.paused, client.replies[-1]) == (False, WRONG)
    assert client.account == Account(failures=1)
    (logged,) = owner.transfers
    assert (logged.method, logged.status, logged.user, logged.path) == ("PASS", 530, "", "/")
    assert client.obey(owner, "PASS", "s3cret") == "503 Send USER first."


def test_after_some_wrong_passwords_the_connection_is_closed(owner: FakeOwner) -> None:
    client = FakeControl()
    for attempt in range(1, owner.limits.attempts + 1):
        reply_to(client, owner, "edge", "wrong")
        owner.passwords.work()
        assert not client.closing
        owner.wait()
        assert client.account.failures == attempt
        client.obey(owner, "REIN")
    assert client.closing


@pytest.mark.parametrize(
    ("when", "password"),
    [("while it is checked", "s3cret"), ("while it is checked", "wrong"), ("while it waits", "wrong")],
)
def test_whoever_is_gone_meanwhile_gets_no_reply(owner: FakeOwner, when: str, password: str) -> None:
    client = FakeControl()
    reply_to(client, owner, "edge", password)
    before = list(client.replies)
    client.ended = when == "while it is checked"
    owner.passwords.work()
    client.ended = True
    for _, call in owner.later:
        call()
    assert client.replies == before
    assert owner.transfers == []
    assert (client.account.failures, client.account.logged_in) == (0, False)


def test_a_check_that_fails_lets_nobody_in(owner: FakeOwner) -> None:
    client = FakeControl()
    reply_to(client, owner, "edge", "s3cret")
    (_, then), *_ = owner.passwords.waiting
    then(None)
    owner.wait()
    assert client.replies[-1] == WRONG


@pytest.mark.parametrize("word", ["REIN", "USER"])
def test_a_new_login_forgets_the_last_one_but_not_its_failures(word: str) -> None:
    owner, client = FakeOwner(), FakeControl()
    account = Account("edge", "edge", True, 2, "yum", 7, False, ["size"], True, True, True)
    client.account = account
    client.obey(owner, "EPSV")
    reply = client.obey(owner, word, "ftp")
    assert reply == ("220 Ready for a new user." if word == "REIN" else "331 Anonymous login: send any password.")
    assert client.data_port is None
    name = "ftp" if word == "USER" else ""
    assert account == Account(name=name, failures=2, facts=["size"], epsv_only=True)


def test_whoever_has_failed_often_waits_for_a_turn_and_others_do_not(owner: FakeOwner) -> None:
    for _ in range(FREE_FAILURES):
        owner.logins.failed("127.0.0.1")
    client, other = FakeControl(), FakeControl(peer=ScopedAddress("127.0.0.2", 0))
    assert reply_to(client, owner, "edge", "s3cret") == ""
    assert owner.passwords.waiting == []
    assert reply_to(other, owner, "edge", "wrong") == ""
    assert len(owner.passwords.waiting) == 1
    owner.passwords.waiting.clear()
    owner.logins.succeeded("127.0.0.1")
    assert 0 < owner.wait() <= FIRST_DELAY_S
    owner.passwords.work()
    assert client.replies[-1] == "230 Welcome."


def test_whoever_would_wait_for_too_long_is_refused(owner: FakeOwner) -> None:
    client = FakeControl()
    for _ in range(30):
        owner.logins.failed("127.0.0.1")
    reply_to(client, owner, "edge", "s3cret")
    while owner.later:
        # others of the address take its turns
        owner.logins.failed("127.0.0.1")
        owner.wait()
    assert client.replies[-1] == "530 Too many failed logins from your address; try again later."
    assert owner.passwords.waiting == []
    assert not client.paused
