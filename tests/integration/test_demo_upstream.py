"""The demo's upstream as clients meet it: ranges and validators over HTTP, images by skopeo, an end by signal."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from scripts.demo_upstream.files import NOTES
from scripts.demo_upstream.tree import CHANGED_ISO
from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER_WITHIN_S = 30
NOTES_URL = "/notes.txt"


@contextmanager
def _upstream() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "scripts.demo_upstream"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with _upstream() as (found, _):
        yield found


def _ask(address: str, method: str, path: str, **fields: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(address, timeout=ANSWER_WITHIN_S)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in fields.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_range_is_honoured_while_the_validator_holds(address: str) -> None:
    whole, body = _ask(address, "GET", NOTES_URL)
    assert (whole.status, body) == (200, NOTES)
    etag = str(whole.headers["ETag"])
    part, body = _ask(address, "GET", NOTES_URL, Range="bytes=10-", If_Range=etag)
    assert (part.status, body) == (206, NOTES[10:])
    assert part.headers["Content-Range"] == f"bytes 10-{len(NOTES) - 1}/{len(NOTES)}"
    changed, body = _ask(address, "GET", NOTES_URL, Range="bytes=10-", If_Range='"another"')
    assert (changed.status, body) == (200, NOTES)
    beyond, body = _ask(address, "GET", NOTES_URL, Range=f"bytes={len(NOTES)}-")
    assert (beyond.status, body, beyond.headers["Content-Range"]) == (416, b"", f"bytes */{len(NOTES)}")
    same, body = _ask(address, "GET", NOTES_URL, If_None_Match=etag)
    assert (same.status, body) == (304, b"")


def test_head_has_the_fields_and_no_body(address: str) -> None:
    answer, body = _ask(address, "HEAD", NOTES_URL)
    assert (answer.status, answer.headers["Content-Length"], body) == (200, str(len(NOTES)), b"")


def test_absent_manifest_is_an_error_in_the_registry_form(address: str) -> None:
    answer, body = _ask(address, "GET", "/v2/demo/none/manifests/1.0")
    assert answer.status == 404
    assert json.loads(body)["errors"][0]["code"] == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize("image", ["demo/hello:1.0", "demo/pause:3.5", "demo/greeter:2.1"])
def test_skopeo_copies_every_platform(address: str, tmp_path: Path, image: str) -> None:
    skopeo = ["skopeo", "--insecure-policy"]
    copy = [*skopeo, "copy", "--all", "--quiet", "--preserve-digests", "--src-tls-verify=false"]
    subprocess.run([*copy, f"docker://{address}/{image}", f"dir:{tmp_path / 'copied'}"], check=True)
    inspect = [*skopeo, "inspect", "--tls-verify=false", f"docker://{address}/{image}"]
    seen = json.loads(subprocess.run(inspect, capture_output=True, check=True).stdout)
    assert seen["Created"] == CHANGED_ISO
    assert len(seen["Layers"]) == 2


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly_by_signal(sent: signal.Signals) -> None:
    with _upstream() as (address, process):
        assert _ask(address, "GET", "/v2/")[0].status == 200
        process.send_signal(sent)
        assert process.wait(ANSWER_WITHIN_S) == 0
