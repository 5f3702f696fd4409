"""Who may read: passwords, networks, certificates; and what a slow check of one may do to others: nothing."""

from __future__ import annotations

import base64
import os
import signal
import ssl
import threading
import time
from typing import TYPE_CHECKING

import bcrypt
import pytest

from mirror.shared.failed_logins import FIRST_DELAY_S, FREE_FAILURES
from tests.fakes.certificates import authority
from tests.integration.mirror_program import mirror
from tests.integration.raw_http import connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror
    from tests.integration.raw_http import Answer

CONTENTS = {"file": b"the listed bytes\n", "big": bytes(8_000_000)}
SLOW_ROUNDS = 13


def basic(name: str, password: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def hashed(name: str, password: str, rounds: int = 4) -> str:
    return f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()}\n"


def get(running: Mirror, target: str, *fields: str, own: str = "") -> Answer:
    with connected(running.port, own=own) as wire:
        return wire.get(target, *fields)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    write_bundle(place / "root", CONTENTS)
    (place / "users").write_text(
        "# who may read\n\n" + hashed("anna", "s3cret") + hashed("böb", "pässwörd:with:colons")
    )
    (place / "users").chmod(0o600)
    return place


@pytest.fixture
def served(place: Path) -> Iterator[Mirror]:
    """A mirror of the test's own: wrong passwords cost an address time, whoever gave them."""
    with mirror(place / "root", "--users", str(place / "users")) as running:
        yield running


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (basic("anna", "wrong"),),
        (basic("anna", ""),),
        (basic("anna", "s3cret\0"),),
        (basic("anna", "s3cret" + "x" * 2000),),
        (basic("nobody", "s3cret"),),
        (basic("", ""),),
        (basic("Anna", "s3cret"),),
        ("Authorization: Basic",),
        ("Authorization: Basic !!!",),
        ("Authorization: Basic " + "A" * 20_000,),
        ("Authorization: Bearer anna:s3cret",),
        ("Proxy-Authorization: Basic YW5uYTpzM2NyZXQ=",),
        ("Cookie: user=anna",),
    ],
)
def test_who_is_not_known_gets_nothing(served: Mirror, fields: tuple[str, ...]) -> None:
    targets = ("/file", "/", "/absent", "/-/metrics", "/-/client/", "/bundle.json", "/-/health/../x", "/-/health/x")
    for number, target in enumerate(targets):
        # from one address wrong passwords would soon take seconds
        answer = get(served, target, *fields, own=f"127.0.1.{number}")
        assert answer.status == 401, target
        assert answer.fields["www-authenticate"].startswith('Basic realm="')
        assert CONTENTS["file"] not in answer.body


@pytest.mark.parametrize(("name", "password"), [("anna", "s3cret"), ("böb", "pässwörd:with:colons")])
def test_who_is_known_gets_everything(served: Mirror, name: str, password: str) -> None:
    for _ in range(2):
        assert get(served, "/file", basic(name, password)).body == CONTENTS["file"]
    assert get(served, "/-/metrics", basic(name, password)).status == 200
    assert get(served, "/file", basic(name, password), basic(name, password)).status == 400


def test_health_is_open_to_all(served: Mirror) -> None:
    assert get(served, "/-/health").status == 200
    assert get(served, "/-/health", basic("anna", "wrong")).status == 200


def test_a_password_on_its_way_holds_up_nobody(place: Path, tmp_path: Path) -> None:
    """Order, not time: whoever is known already, or asks for nothing secret, is answered first."""
    users = tmp_path / "users"
    users.write_text(hashed("anna", "s3cret") + hashed("slow", "x", SLOW_ROUNDS))
    with (
        mirror(place / "root", "--users", str(users)) as running,
        connected(running.port) as slow,
        connected(running.port) as quick,
    ):
        assert quick.get("/file", basic("anna", "s3cret")).status == 200
        slow.send(b"".join(request("/file", basic("slow", f"wrong {number}")) for number in range(2)))
        for _ in range(5):
            assert quick.get("/file", basic("anna", "s3cret")).status == 200
            assert quick.get("/-/health").status == 200
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.socket.recv(1)
        slow.socket.settimeout(60)
        assert [slow.answer().status for _ in range(2)] == [401] * 2


def test_too_many_guesses_at_once_are_turned_away(served: Mirror) -> None:
    statuses: list[int] = []

    def guess(number: int) -> None:
        statuses.append(get(served, "/file", basic("anna", f"guess {number}")).status)

    guessing = [threading.Thread(target=guess, args=(number,)) for number in range(120)]
    for thread in guessing:
        thread.start()
    for thread in guessing:
        thread.join()
    # 429: others of this address wait for their turn already
    assert set(statuses) <= {401, 429, 503}
    assert get(served, "/file", basic("anna", "s3cret")).status == 200


def test_guesses_get_slower_and_hold_up_nobody(place: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(hashed("anna", "s3cret"))
    with mirror(place / "root", "--users", str(users), "--workers", "2") as running:
        began_s = time.monotonic()
        for number in range(FREE_FAILURES + 2):
            assert get(running, "/file", basic("anna", f"guess {number}")).status == 401
        assert time.monotonic() - began_s >= 3 * FIRST_DELAY_S
        # one that waits for its turn, and who comes meanwhile
        guessing = threading.Thread(target=get, args=(running, "/file", basic("anna", "another")))
        guessing.start()
        served = 0
        while guessing.is_alive():
            assert running.health()[0] == 200
            served += 1
        # each worker has answered some of them before it answered the guess
        assert served > 20


def test_users_are_read_again_with_a_reload(place: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(hashed("anna", "old"))
    with mirror(place / "root", "--users", str(users), "--workers", "2") as running, connected(running.port) as kept:
        assert kept.get("/file", basic("anna", "old")).status == 200
        users.write_text(hashed("anna", "new"))
        assert kept.get("/file", basic("anna", "old")).status == 200
        running.reload()
        assert kept.get("/file", basic("anna", "old")).status == 401
        assert kept.get("/file", basic("anna", "new")).status == 200
        users.write_text("not bcrypt:plain\n")
        running.signal(signal.SIGHUP)
        running.told("nothing is reloaded")
        assert kept.get("/file", basic("anna", "new")).status == 200


def test_loopback_may_always_connect(place: Path) -> None:
    with mirror(place / "root", "--allow", "198.51.100.0/24", "--allow", "2001:db8::/32") as running:
        assert get(running, "/file").status == 200


def shown(port: int) -> str:
    """Return whose certificate a new connection sees."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connected(port, context) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        certificate = wire.socket.getpeercert(binary_form=True)
        assert certificate is not None
        assert wire.get("/file").status == 200
        return base64.b64encode(certificate).decode()


def test_a_new_certificate_is_taken_over_and_old_connections_go_on(place: Path, tmp_path: Path) -> None:
    site = authority(tmp_path)
    one, two = site.client_files("one"), site.client_files("two")
    pair = tmp_path / "pair.pem"
    pair.write_bytes(one[0].read_bytes() + one[1].read_bytes())
    pair.chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with mirror(place / "root", "--workers", "2", "--tls-cert", str(pair)) as running:
        before = shown(running.port)
        assert before in one[0].read_text().replace("\n", "")
        with connected(running.port, context, receive_bytes=16384) as kept:
            kept.begin("/big")
            pair.write_bytes(two[0].read_bytes() + two[1].read_bytes())
            assert shown(running.port) == before
            running.signal(signal.SIGHUP)
            running.told("reloaded")
            for _ in range(8):
                after = shown(running.port)
                assert after in two[0].read_text().replace("\n", "")
            assert kept.answer().body == CONTENTS["big"]
            assert kept.get("/file").status == 200
        # one that cannot be used leaves the present one
        pair.write_bytes(two[0].read_bytes() + one[1].read_bytes())
        running.signal(signal.SIGHUP)
        running.told("failed", 2)
        assert shown(running.port) == after


def test_secrets_are_nowhere_to_be_seen(place: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with mirror(place / "root", "--users", str(place / "users"), "--access-log", str(log)) as running:
        get(running, "/file", basic("anna", "s3cret"))
        get(running, "/file", basic("anna", "another"))
        for pid in [running.process.pid, *running.workers()]:
            with open(f"/proc/{pid}/cmdline", "rb") as stream:  # noqa: PTH123 - a process, no path
                assert b"s3cret" not in stream.read()
        running.signal(signal.SIGTERM)
        running.wait()
    said = log.read_text()
    assert " anna " in said
    assert "s3cret" not in said
    assert "another" not in said
    assert "YW5uYTp" not in said
    if os.geteuid() == 0:
        assert log.stat().st_uid == 0
