"""One control connection on real sockets and pyftpdlib's loop: the order of things, and its end."""

from __future__ import annotations

import logging
import socket
import struct
import time
from typing import TYPE_CHECKING

import pytest

from mirror.ftp.commands import COMMANDS
from mirror.ftp.data_port import ActivePort
from mirror.ftp.interface import Account
from mirror.ftp.pyftpdlib_adapter import new_event_loop
from mirror.ftp.session import Session
from mirror.shared.counters import Field
from tests.fakes.ftp_control import FakeOwner
from tests.unit.mirror.bundle_tree import opened, site_of, write_bundle
from tests.unit.mirror.ftp.in_process import Client, connected, run_until, socket_pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import Control, Owner

# more than the sockets between a server and a client that does not read hold
BIG = bytes(range(256)) * 80_000
UNFETCHED = "x" * len(BIG)
CONTENTS = {"big.bin": BIG, "text": b"one\ntwo\n"}


@pytest.fixture(scope="module")
def site_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("session") / "root", CONTENTS)


@pytest.fixture
def owner(site_root: Path) -> Iterator[FakeOwner]:
    with opened(site_root) as root:
        yield FakeOwner(site_of(root))


@pytest.fixture
def ends(owner: FakeOwner) -> Iterator[tuple[Client, Session]]:
    """Return a client that has logged in, and its session."""
    with connected(owner) as (client, session):
        assert client.ask("USER ftp").startswith("331")
        assert client.ask("PASS x") == "230 Welcome."
        yield client, session


def test_commands_that_come_all_at_once_are_obeyed_in_turn(ends: tuple[Client, Session]) -> None:
    client, _ = ends
    client.send(b"NOOP\r\nPWD\nSYST\r\n" + b"NOOP\r\n" * 100)
    assert client.codes(3) == [200, 257, 215]
    assert client.codes(100) == [200] * 100


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("NOOP", "200 Still here."),
        ("PWD x", "501 PWD takes no argument."),
        ("WHAT", "500 There is no such command."),
        ("STOR x", "550 This server is read-only."),
        ("RETR a\0b", "501 Control characters are not accepted."),
        ("RETR " + "a/" * 5000, "500 Command line too long."),
        ("TYPE I", "200 Type set to: Binary."),
        ("TYPE E", '504 Unsupported type "E".'),
        ("STRU F", "200 File transfer structure set to: F."),
        ("MODE S", "200 Transfer mode set to: S"),
        ("TYPE A", "200 Type set to: ASCII."),
        ("TYPE A N", "200 Type set to: ASCII."),
        ("type a n", "200 Type set to: ASCII."),
        ("TYPE A T", '504 Unsupported type "A T".'),
        ("SYST", "215 UNIX Type: L8"),
        ("OPTS UTF8 ON", "200 Always in UTF8 mode."),
        ("HELP RETR", "214 Syntax: RETR <SP> file-name (retrieve a file)."),
        ("SITE HELP HELP", "214 Syntax: HELP [<SP> cmd] (show help)."),
        ("CWD \udcff", "550 There is no such directory."),
    ],
)
def test_every_line_has_a_reply(ends: tuple[Client, Session], owner: FakeOwner, line: str, reply: str) -> None:
    client, session = ends
    code = int(reply[:3])
    counted = owner.slot.answers().get(code, owner.slot.answers()[0])
    assert client.ask(line) == reply
    assert owner.slot.answers().get(code, owner.slot.answers()[0]) == counted + 1
    assert client.ask("NOOP") == "200 Still here."
    assert not session.ended


def test_strangers_have_to_log_in(owner: FakeOwner) -> None:
    with connected(owner) as (client, _):
        assert client.ask("PWD").startswith("530")
        assert client.ask("FEAT").endswith("211 End FEAT.")


def test_what_pyftpdlibs_commands_set_is_the_accounts(ends: tuple[Client, Session]) -> None:
    client, session = ends
    assert client.ask("TYPE I").startswith("200")
    assert session.account == Account(logged_in=True, name="ftp", ascii_mode=False)
    assert client.ask("OPTS MLST size;modify;unknown;") == "200 MLST OPTS size;modify;"
    assert session.account.facts == ["size", "modify"]
    features = client.ask("FEAT")
    assert " MLST type;perm;size*;modify*;\r\n" in features
    assert "AUTH TLS" not in features
    assert client.ask("EPSV ALL").startswith("200")
    assert client.ask("PORT 127,0,0,1,200,0") == "501 PORT not allowed after EPSV ALL."
    assert session.account.epsv_only
    assert client.ask("REIN").startswith("220")
    assert session.account == Account(facts=["size", "modify"], epsv_only=True)


def test_an_active_port_is_the_clients_own(ends: tuple[Client, Session]) -> None:
    client, session = ends
    assert client.ask("PORT 198,51,100,7,200,0") == "501 Data connections go to your own address only."
    assert client.ask("EPRT |1|127.0.0.1|25|") == "501 Data connections go to ports from 1024 on only."
    assert client.ask("RETR text") == "425 Use EPSV or PASV first."
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert client.ask(f"PORT 127,0,0,1,{port // 256},{port % 256}") == "200 Understood."
        assert isinstance(session.data_port, ActivePort)
        assert client.ask("RETR text").startswith("150")
        connection, _ = listener.accept()
        assert Client(connection, session.ioloop).rest() == CONTENTS["text"]
        connection.close()
    assert client.reply() == "226 Transfer complete."


def test_a_transfer_is_counted_and_logged(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, _ = ends
    data = client.data()
    client.send(b"REST 4\r\nRETR text\r\n")
    assert data.rest() == b"two\n"
    assert client.codes(3) == [350, 150, 226]
    assert owner.slot.get(Field.SENT_BYTES) == 4
    assert owner.slot.get(Field.CUT_TRANSFERS) == 0
    (logged,) = owner.transfers
    assert (logged.protocol, logged.remote, logged.path, logged.range) == ("ftp", "127.0.0.1", "/text", "4-7")
    assert (logged.status, logged.sent_bytes, logged.complete) == (226, 4, True)
    data.close()


def test_without_a_data_port_there_is_no_transfer(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, _ = ends
    assert client.ask("RETR text") == "425 Use EPSV or PASV first."
    assert client.ask("LIST") == "425 Use EPSV or PASV first."
    assert [logged.status for logged in owner.transfers] == [425, 425]


def test_while_a_transfer_runs_only_abor_and_stat_do_not_wait(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, session = ends
    data = client.data()
    assert client.ask("RETR big.bin").startswith("150")
    run_until(session.ioloop, lambda: session.sent_bytes)
    assert "A transfer runs" in client.ask("STAT")
    client.send(b"NOOP\r\nABOR\r\n")
    # ABOR is behind NOOP, which waits for the end
    assert client.quiet()
    assert data.rest() == BIG
    assert client.codes(3) == [226, 200, 225]
    data.close()
    data = client.data()
    assert client.ask("RETR big.bin").startswith("150")
    client.send(b"ABOR\r\n")
    assert client.codes(2) == [426, 226]
    with pytest.raises(ConnectionResetError):
        data.rest()
    assert owner.slot.get(Field.CUT_TRANSFERS) == 1
    assert [logged.complete for logged in owner.transfers] == [True, False]
    assert session.sent_bytes is None
    assert not session.abort(426, "again")


def test_a_paused_session_obeys_nothing_until_it_is_resumed(owner: FakeOwner) -> None:
    def wait(control: Control, _account: Account, _owner: Owner, _: str) -> None:
        control.pause()

    def new_session(connection: socket.socket, owner: Owner, loop: EventLoop, _: object) -> Session:
        return Session(connection, owner, loop, {**COMMANDS, "NOOP": wait})

    with connected(owner, new_session) as (client, session):
        client.send(b"NOOP\r\nQUIT\r\n")
        assert client.quiet()
        session.check_times(time.monotonic() + 1000)
        assert client.quiet()
        session.resume()
        assert client.reply() == "221 Goodbye."
        assert client.rest() == b""


def test_of_a_client_that_fetches_no_replies_nothing_is_obeyed(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, session = ends
    session.push(UNFETCHED)
    session.settle()
    client.send(b"CWD\r\n")
    for _ in range(5):
        session.ioloop.loop(0, False)
    assert owner.slot.answers()[250] == 0
    assert len(client.until(b'250 "/" is the current directory.\r\n')) == len(UNFETCHED)
    assert owner.slot.answers()[250] == 1


def test_who_says_nothing_is_sent_away(owner: FakeOwner) -> None:
    now_s = time.monotonic()
    with connected(owner) as (client, session):
        session.check_times(now_s + owner.limits.login_s - 1)
        assert client.quiet()
        session.check_times(now_s + owner.limits.login_s + 1)
        assert client.reply().startswith("421")
        assert client.rest() == b""
        assert owner.ended_sessions == [session]


def test_who_has_logged_in_may_be_silent_for_longer(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, session = ends
    session.check_times(time.monotonic() + owner.limits.login_s + 1)
    assert client.quiet()
    session.check_times(time.monotonic() + owner.limits.idle_s + 1)
    assert client.reply().startswith("421")


def test_a_client_that_does_not_fetch_its_farewell_is_closed_at_the_second_call(
    ends: tuple[Client, Session], owner: FakeOwner
) -> None:
    _, session = ends
    session.push(UNFETCHED)
    session.hang_up("421 The server is stopping.")
    assert not owner.ended_sessions
    session.hang_up("421 The server is stopping.")
    assert owner.ended_sessions == [session]


def test_a_data_port_that_is_not_used_is_closed_and_a_transfer_without_progress_cut(
    ends: tuple[Client, Session], owner: FakeOwner
) -> None:
    client, session = ends
    client.ask("EPSV")
    session.check_times(time.monotonic() + owner.limits.connect_s + 1)
    assert session.data_port is None
    client.ask("EPSV")
    assert client.ask("RETR text").startswith("150")
    session.check_times(time.monotonic() + owner.limits.connect_s + 1)
    assert client.reply() == "425 No data connection came about in time."


def test_whoever_goes_during_a_transfer_has_a_line_in_the_log(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, session = ends
    data = client.data()
    assert client.ask("RETR big.bin").startswith("150")
    run_until(session.ioloop, lambda: session.sent_bytes)
    client.close()
    run_until(session.ioloop, lambda: session.ended)
    with pytest.raises(ConnectionResetError):
        data.rest()
    (logged,) = owner.transfers
    assert (logged.status, logged.complete) == (426, False)
    assert 0 < logged.sent_bytes < len(BIG)
    assert owner.slot.get(Field.CUT_TRANSFERS) == 1
    assert owner.slot.answers()[426] == 1
    session.close()
    assert owner.ended_sessions == [session]


def test_a_server_that_stops_waits_for_the_transfer_only(ends: tuple[Client, Session], owner: FakeOwner) -> None:
    client, _ = ends
    data = client.data()
    assert client.ask("RETR big.bin").startswith("150")
    owner.stopping = True
    client.send(b"NOOP\r\n")
    assert data.rest() == BIG
    assert client.codes(2) == [226, 421]
    assert client.rest() == b""
    data.close()


def test_an_exception_that_nobody_expected_ends_this_session_only(
    owner: FakeOwner, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_control: Control, _account: Account, _owner: Owner, _: str) -> None:
        raise ValueError("a bug")

    def new_session(connection: socket.socket, owner: Owner, loop: EventLoop, _: object) -> Session:
        return Session(connection, owner, loop, {**COMMANDS, "NOOP": fail})

    with connected(owner, new_session) as (client, session), caplog.at_level(logging.ERROR, "mirror.ftp"):
        client.send(b"NOOP\r\n")
        assert client.rest() == b""
        assert session.ended
    assert "a session failed unexpectedly" in caplog.text
    assert owner.ended_sessions == [session]


def test_whoever_is_gone_before_the_session_begins_leaves_nothing_behind(owner: FakeOwner) -> None:
    loop = new_event_loop()
    accepted, client = socket_pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    session = Session(accepted, owner, loop, COMMANDS)
    assert session.ended
    assert repr(session) == "<Session of >"
    loop.close()


def test_tls_is_not_to_be_had(ends: tuple[Client, Session]) -> None:
    client, session = ends
    assert client.ask("AUTH TLS") == "502 TLS is not set up here."
    with pytest.raises(NotImplementedError):
        session.start_tls()
