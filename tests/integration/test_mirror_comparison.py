"""Digests compared while the real mirror serves: who may ask, what it finds, and what every worker makes of that."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.mirror_program import Mirror, eventually, mirror
from tests.unit.mirror.bundle_tree import CONTENTS, WRITTEN_S, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "kubeedge/keadm-amd64"
COMPARE, PROGRESS = "/-/compare", "/-/compare.json"
# more workers than one, of both protocols: what one process finds all of them heed
OPTIONS = ("--workers", "3", "--ftp", "127.0.0.1:0")


class _Unmoved(urllib.request.HTTPRedirectHandler):
    """Shows where a client is sent instead of going there."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _answer(running: Mirror, path: str, method: str = "GET", **fields: str) -> tuple[int, Any, bytes]:
    """Return status, fields and content, each time over a connection of its own, so of any worker."""
    request = urllib.request.Request(running.url + path, method=method, headers=fields)
    try:
        with urllib.request.build_opener(_Unmoved).open(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def _progress(running: Mirror, asked: str = "") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_answer(running, PROGRESS + asked)[2])
    return document


def _spoil(file: Path) -> bytes:
    """Change a byte of a file and nothing that `stat` shows but its times; return what it was."""
    before = file.read_bytes()
    file.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    os.utime(file, (WRITTEN_S, WRITTEN_S))
    return before


def _compare(running: Mirror, asked: str = "") -> None:
    status, fields, _ = _answer(running, COMPARE + asked, "POST")
    assert (status, fields["Location"]) == (303, "/")
    eventually(lambda: _progress(running, asked)["state"] == "over", "the comparison ended")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root that is a bundle."""
    return write_bundle(tmp_path / "root")


@pytest.fixture
def running(root: Path) -> Iterator[Mirror]:
    """A mirror that has looked at sizes alone."""
    with mirror(root, *OPTIONS) as started:
        yield started


def test_all_is_as_listed(running: Mirror) -> None:
    assert _progress(running)["state"] == "none"
    assert running.health()[1]["verified"] is None
    _compare(running)
    progress = _progress(running)
    assert (progress["percent"], progress["wrong_files"]) == (100, 0)
    assert progress["files"] == progress["total_files"] == len(CONTENTS) + 2
    assert progress["schema"] == "mirror.comparison/1"
    status, health = running.health()
    assert (status, health["verified"]) == (200, True)
    page = _answer(running, "/")[2].decode()
    assert "Digests verified" in page
    assert COMPARE not in page
    running.told("all are as listed")


def test_what_was_compared_is_not_read_again_until_it_changes(running: Mirror, root: Path) -> None:
    _compare(running)
    assert _answer(running, COMPARE, "POST")[0] == 303
    running.reload()
    assert _progress(running)["state"] == "over"
    assert running.told_times("were compared") == 1
    write_bundle(root, {**CONTENTS, "more": b"more"})
    running.reload(2)
    assert _progress(running)["state"] == "none"
    assert running.health()[1]["verified"] is None


def test_wrong_bytes_are_withdrawn_from_all_workers_and_come_back_when_they_are_right(root: Path) -> None:
    before = _spoil(root / FILE)
    with mirror(root, *OPTIONS) as running:
        assert _answer(running, f"/{FILE}")[0] == 200
        _compare(running)
        assert _progress(running)["wrong_files"] == 1
        running.told(f"{FILE} is not served: its bytes are not the listed ones")
        # twelve connections, each of which any of three workers has
        eventually(lambda: {_answer(running, f"/{FILE}")[0] for _ in range(12)} == {503}, "no worker gives it out")
        eventually(lambda: _is_refused_by_ftp(running), "FTP gives it out no more")
        status, health = running.health()
        assert (status, health["verified"]) == (503, False)
        assert health["faults"][0].endswith(f"/{FILE}")
        assert b"Digests do not match" in _answer(running, "/")[2]
        (root / FILE).write_bytes(before)
        eventually(lambda: {_answer(running, f"/{FILE}")[0] for _ in range(12)} == {200}, "all workers have it again")
        eventually(lambda: running.health()[1]["verified"], "health is green")


def _is_refused_by_ftp(running: Mirror) -> bool:
    try:
        with urllib.request.urlopen(f"ftp://127.0.0.1:{running.ftp_port}/{FILE}"):
            return False
    except urllib.error.URLError as error:
        return "450" in str(error)


def test_a_worker_that_begins_later_knows_what_was_found(root: Path) -> None:
    _spoil(root / FILE)
    with mirror(root) as running:
        (worker,) = running.workers()
        _compare(running)
        eventually(lambda: _answer(running, f"/{FILE}")[0] == 503, "it is given out no more")
        os.kill(worker, 9)
        # the process that compares may still be there; whoever asks meanwhile waits for the next worker
        eventually(lambda: worker not in running.workers(), "the worker is gone")
        assert _answer(running, f"/{FILE}")[0] == 503


def test_no_page_of_another_site_and_nothing_but_a_post_begins_it(running: Mirror) -> None:
    own = running.url
    assert _answer(running, COMPARE)[0] == 404
    assert _answer(running, COMPARE, "PUT")[0] == 405
    for origin in ("http://evil.example", "null", f"{own}0"):
        assert _answer(running, COMPARE, "POST", Origin=origin)[0] == 403
    assert _answer(running, f"{COMPARE}?bundle=0123456789ab", "POST")[0] == 404
    assert _progress(running)["state"] == "none"
    assert _answer(running, COMPARE, "POST", Origin=own)[0] == 303
    eventually(lambda: _progress(running)["state"] == "over", "the comparison ended")


def test_a_mirror_that_has_verified_all_compares_nothing(root: Path) -> None:
    with mirror(root, "--verify") as running:
        assert _answer(running, COMPARE, "POST")[0] == 303
        assert _progress(running)["state"] == "none"
        assert COMPARE.encode() not in _answer(running, "/")[2]


def test_who_may_not_read_may_not_ask(root: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    # a hash that no password has
    users.write_text("edge:$2y$05$" + "." * 53 + "\n")
    users.chmod(0o600)
    with mirror(root, "--users", str(users)) as running:
        assert _answer(running, COMPARE, "POST")[0] == 401
        assert _answer(running, PROGRESS)[0] == 401
