"""The listener of `bundler site invite` on loopback: a good edge, and whoever else comes."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.site.invitation.inviting import invited
from bundler.site.invitation.join_client import shown_answer
from bundler.site.invitation.join_code import JoinCode
from bundler.site.invitation.join_message import (
    ANSWER_SCHEMA,
    END,
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    JoinAnswer,
    JoinRequest,
)
from bundler.site.invitation.listener import MAX_CONNECTIONS, REQUEST_WITHIN_S, opened_port
from bundler.site.invitation.use_log import INVITATIONS, MAX_NOISE_LINES
from tests.fakes.certificates import authority
from tests.integration.invitations import BUNDLE, HERE, WITHIN_S, answer, listening

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.invitations import Listening

pytestmark = pytest.mark.integration
OTHER = "127.0.0.2"


def come(running: Listening, host: str = "edge1", *, code: JoinCode | None = None, bundle: str = "") -> JoinAnswer:
    """Show a host's code, or another one, as an edge does."""
    return shown_answer(HERE, running.port, code or running.invited.codes[host], host=host, bundle=bundle)


def refused(running: Listening, host: str = "edge1", *, code: JoinCode | None = None, bundle: str = "") -> SiteError:
    with pytest.raises(SiteError) as error:
        come(running, host, code=code, bundle=bundle)
    return error.value


def wrong(running: Listening) -> JoinCode:
    return JoinCode(os.urandom(16), running.invited.certificate.sha256)


def test_an_edge_that_was_invited_gets_its_answer_and_the_listener_ends() -> None:
    with listening() as running:
        book = f"{INVITATIONS}/{running.port}.json"
        code = running.invited.codes["edge1"]
        assert come(running, bundle=BUNDLE) == answer("edge1")
        assert running.ended.wait(WITHIN_S)
    assert running.endings == {"edge1": "used"}
    assert running.uses == ["edge1 accepted", "edge1 sent"]
    assert book not in running.master.files
    assert all(mode == 0o600 for mode in running.master.modes.values())
    kept = b"".join(running.master.files.values())
    for secret in (code.secret.hex().encode(), code.text[:6].encode(), b"token-of-edge1"):
        assert secret not in kept
        assert secret.decode() not in "".join(running.lines)


def test_while_it_listens_a_hash_is_kept_and_nothing_more() -> None:
    with listening() as running:
        refused(running, code=wrong(running))
        kept = json.loads(running.master.files[f"{INVITATIONS}/{running.port}.json"])
        assert kept["invitations"][0]["wrong_tries"] == 1
        assert running.invited.codes["edge1"].secret.hex() not in json.dumps(kept)


def test_one_listener_waits_for_several_hosts() -> None:
    with listening(("edge1", "edge2", "edge3")) as running:
        for host in ("edge2", "edge3"):
            assert come(running, host).token == f"token-of-{host}"
        assert not running.ended.is_set()
        assert come(running).host == "edge1"
        assert running.ended.wait(WITHIN_S)


def test_a_code_that_was_used_is_worth_nothing() -> None:
    with listening(("edge1", "edge2")) as running:
        come(running)
        again = refused(running)
        assert again.id is ErrorId.SITE_JOIN_REFUSED
        assert "bundler site invite --host edge1" in again.remedy
    assert running.uses == ["edge1 accepted", "edge1 sent", "edge1 used"]


def test_of_two_that_show_it_at_once_one_gets_it() -> None:
    with listening(("edge1", "edge2")) as running:
        line = JoinRequest("edge1", running.invited.codes["edge1"].secret).encode()
        channels = [running.channel() for _ in range(8)]
        for channel in channels:
            channel.sendall(line)
        answers = [json.loads(channel.makefile("rb").read()) for channel in channels]
        assert sorted("token" in one for one in answers) == [False] * 7 + [True]


def test_five_wrong_codes_end_it() -> None:
    with listening() as running:
        for _ in range(5):
            assert refused(running, code=wrong(running)).id is ErrorId.SITE_JOIN_REFUSED
        assert running.ended.wait(WITHIN_S)
    assert running.endings == {"edge1": "exhausted"}
    # the edge that held the right one
    assert refused(running).id is ErrorId.SITE_JOIN_UNREACHABLE


def test_a_right_code_with_another_name_is_refused_in_the_same_words() -> None:
    with listening(("edge1", "edge2")) as running:
        code = running.invited.codes["edge1"]
        words = {
            refused(running, "edge2", code=code).what,
            refused(running, "edge9", code=code).what,
            refused(running, code=wrong(running)).what,
            refused(running, "edge9", code=wrong(running)).what,
        }
        assert len(words) == 1
    assert running.uses == ["edge2 wrong-name", "edge9 wrong-name", "edge1 wrong-code", "edge9 unknown-host"]


def test_it_expires_by_the_clock_that_it_was_given() -> None:
    with listening(("edge1", "edge2"), for_s=900) as running:
        running.master.time += 899
        assert come(running).host == "edge1"
        running.master.time += 1
        assert running.ended.wait(WITHIN_S)
    assert running.endings == {"edge1": "used", "edge2": "expired"}


def test_a_token_that_cannot_be_made_leaves_the_code_as_it_was() -> None:
    def fails(host: str) -> JoinAnswer:
        raise SiteError(ErrorId.SITE_STEP_FAILED, f"secret words about {host}", remedy="No.", step="")

    with listening() as running:
        running.gives = fails
        error = refused(running)
        assert "site-step-failed" in error.what
        assert "secret words" not in error.what
        running.gives = answer
        assert come(running).token == "token-of-edge1"
    assert running.uses[0] == "edge1 not-given [site-step-failed]"


def test_an_edge_with_another_bundle_is_told_and_may_come_again() -> None:
    with listening() as running:
        error = refused(running, bundle="cd" * 32)
        assert "abababababab" in error.what
        assert "cdcdcdcdcdcd" in error.what
        assert come(running, bundle=BUNDLE).host == "edge1"


def test_somebody_in_between_learns_nothing(tmp_path: Path) -> None:
    received: list[bytes] = []
    context = authority(tmp_path).server_context(HERE)
    with listening() as running, socket.create_server((HERE, 0)) as between:

        def impersonate() -> None:
            with between.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as channel:
                received.append(channel.recv(100))

        thread = threading.Thread(target=impersonate)
        thread.start()
        with pytest.raises(SiteError) as error:
            shown_answer(HERE, between.getsockname()[1], running.invited.codes["edge1"], host="edge1")
        thread.join(WITHIN_S)
        assert error.value.id is ErrorId.SITE_JOIN_UNTRUSTED
        assert received == [b""]
        # and its own certificate counts for nobody else's code
        assert refused(running, code=invited(["edge1"], 1).codes["edge1"]).id is ErrorId.SITE_JOIN_UNTRUSTED
        assert come(running).host == "edge1"


def test_a_request_cut_at_any_byte_uses_nothing() -> None:
    with listening() as running:
        line = JoinRequest("edge1", running.invited.codes["edge1"].secret).encode()
        for end in range(len(line)):
            with running.channel() as channel:
                channel.sendall(line[:end])
        running.wait_for("no-request", len(line))
        assert come(running).host == "edge1"


def test_a_handshake_cut_at_any_byte_uses_nothing() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    hello = outgoing.read()
    with listening() as running:
        for end in range(0, len(hello), 7):
            with running.plain() as plain:
                plain.sendall(hello[:end])
        assert come(running).host == "edge1"


def test_an_answer_cut_at_any_byte_is_told_as_such() -> None:
    made = invited(["edge1"], 1)
    whole = answer("edge1").encode()
    with socket.create_server((HERE, 0)) as place:

        def cut() -> None:
            for end in range(len(whole)):
                with made.certificate.context.wrap_socket(place.accept()[0], server_side=True) as channel:
                    channel.recv(MAX_REQUEST_BYTES)
                    channel.sendall(whole[:end])

        thread = threading.Thread(target=cut)
        thread.start()
        for _ in range(len(whole)):
            with pytest.raises(SiteError) as error:
                shown_answer(HERE, place.getsockname()[1], made.codes["edge1"], host="edge1")
            assert error.value.id is ErrorId.SITE_JOIN_BROKEN
            assert "token-of" not in error.value.text()
        thread.join(WITHIN_S)


@pytest.mark.parametrize("size", [MAX_ANSWER_BYTES + 1, 3 * MAX_ANSWER_BYTES])
def test_an_answer_without_end_is_not_read_for_ever(size: int) -> None:
    made = invited(["edge1"], 1)
    with socket.create_server((HERE, 0)) as place:

        def flood() -> None:
            with made.certificate.context.wrap_socket(place.accept()[0], server_side=True) as channel:
                channel.recv(MAX_REQUEST_BYTES)
                try:
                    for _ in range(size // 65536 + 1):
                        channel.sendall(b"x" * 65536)
                except OSError:
                    return

        thread = threading.Thread(target=flood)
        thread.start()
        with pytest.raises(SiteError) as error:
            shown_answer(HERE, place.getsockname()[1], made.codes["edge1"], host="edge1")
        thread.join(WITHIN_S)
        assert error.value.id is ErrorId.SITE_JOIN_BROKEN


def _garbage(channel: socket.socket) -> None:
    channel.sendall(os.urandom(2000))


def _http(channel: socket.socket) -> None:
    channel.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


def _huge(channel: socket.socket) -> None:
    channel.sendall(b"x" * (1024 * 1024))


@pytest.mark.parametrize("sends", [_garbage, _http, _huge])
@pytest.mark.parametrize("secure", [False, True])
def test_whoever_sends_something_else_is_let_go(sends: Callable[[socket.socket], None], secure: bool) -> None:
    with listening() as running, running.channel() if secure else running.plain() as channel:
        try:
            sends(channel)
            while channel.recv(65536):
                pass
        except OSError:
            # it was let go in the middle
            pass
        running.wait_for("no-request")
        assert come(running).host == "edge1"


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_an_old_tls_is_refused(newest: ssl.TLSVersion) -> None:
    with listening() as running:
        with pytest.raises(ssl.SSLError):
            running.channel(newest=newest)
        with running.channel(newest=ssl.TLSVersion.TLSv1_2) as channel:
            assert channel.version() == "TLSv1.2"


def test_those_who_say_nothing_are_closed_and_keep_nobody_out() -> None:
    with listening() as running:
        silent = [running.plain(OTHER) for _ in range(MAX_CONNECTIONS + 20)]
        running.wait_for("crowded-out", 20)
        # from another address
        line = JoinRequest("edge1", b"0" * 16).encode()
        with running.channel() as channel:
            channel.sendall(line)
            assert json.loads(channel.makefile("rb").read()) == {
                "schema": ANSWER_SCHEMA,
                "refused": "code",
                "what": "the code does not count for this host: wrong, used, expired, or another host's",
            }
        running.master.time += REQUEST_WITHIN_S + 1
        running.wait_for("too-slow", MAX_CONNECTIONS - 1)
        for one in silent:
            one.close()
        assert come(running).host == "edge1"


def test_one_who_was_here_first_is_not_pushed_out_by_many_from_elsewhere() -> None:
    with listening() as running, running.channel() as early:
        early.sendall(b"{")
        many = [running.plain(OTHER) for _ in range(3 * MAX_CONNECTIONS)]
        running.wait_for("crowded-out", 2 * MAX_CONNECTIONS)
        early.sendall(b"}" + END)
        assert json.loads(early.makefile("rb").read())["refused"] == "request"
        for one in many:
            one.close()


def test_a_reader_who_does_not_read_blocks_nobody() -> None:
    with listening(("edge1", "edge2")) as running:
        running.gives = lambda host: JoinAnswer(host, "t", {"filler": "x" * 8_000_000})
        lazy = running.channel(OTHER)
        lazy.sendall(JoinRequest("edge1", running.invited.codes["edge1"].secret).encode())
        running.wait_for("accepted")
        assert come(running, "edge2").token == "t"
        running.master.time += 61
        assert running.ended.wait(WITHIN_S)
        lazy.close()
    assert "edge1 too-slow" in running.uses
    assert running.endings == {"edge1": "used", "edge2": "used"}


def test_noise_fills_no_log() -> None:
    with listening() as running:
        for _ in range(MAX_NOISE_LINES + 50):
            with running.plain() as plain:
                plain.sendall(b"\n" * 100)
                with suppress(ConnectionResetError):
                    plain.recv(100)
        running.wait_for("no-request", MAX_NOISE_LINES)
        assert come(running).host == "edge1"
    assert len(running.uses) == MAX_NOISE_LINES + 2
    assert running.uses[-3:] == ["- no-further-lines", "edge1 accepted", "edge1 sent"]


def test_a_port_that_is_taken_is_told() -> None:
    with opened_port(HERE, 0) as place:
        with pytest.raises(SiteError) as error:
            opened_port(HERE, place.getsockname()[1])
        assert error.value.id is ErrorId.SITE_LISTEN_FAILED
    with pytest.raises(SiteError):
        opened_port("192.0.2.250", 0)


def test_nobody_there_is_told() -> None:
    with opened_port(HERE, 0) as place:
        port = place.getsockname()[1]
    with pytest.raises(SiteError) as error:
        shown_answer(HERE, port, invited(["edge1"], 1).codes["edge1"], host="edge1")
    assert (error.value.id, error.value.where) == (ErrorId.SITE_JOIN_UNREACHABLE, f"{HERE}:{port}")
