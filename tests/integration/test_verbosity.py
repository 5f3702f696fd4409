"""What -v, -q and --log-file tell of real requests: over HTTP and FTP, of both programs, and of a mirror's own log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import mirror

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SECRET = "hunter2hunter2"
# status, bytes and time, whatever they are
_REQUEST = re.compile(
    r"^(?:GET|RETR) (?P<url>\S+): (?P<status>\d{3}), (?P<size>[\d.]+ (?:[KM]i)?B), \d+\.\d\d s$", re.MULTILINE
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_bundle(tmp_path_factory.mktemp("bundle"))


def run(program: str, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", program, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": "/nowhere", **environment},
    )
    assert done.returncode == code, done.stderr
    return done


def asked(text: str) -> set[str]:
    return {found["url"] for found in _REQUEST.finditer(text)}


def test_requests_of_both_programs_are_told(tree: Path, tmp_path: Path) -> None:
    with mirror(tree, "--ftp", "127.0.0.1:0") as running:
        checked = run("mirror", "verify", "-v", running.url, f"ftp://127.0.0.1:{running.ftp_port}")
        fetched = run("bundler", "unpack", running.url, "-C", str(tmp_path / "there"), "-v")
        quiet = run("mirror", "-q", "verify", running.url, "--log-file", str(tmp_path / "log"))
    assert f"{running.url}/bundle.json" in asked(checked.stderr)
    assert f"ftp://127.0.0.1:{running.ftp_port}/bundle.json" in asked(checked.stderr)
    assert f"{running.url}/bundle.json" in asked(fetched.stderr)
    assert quiet.stderr == ""
    assert quiet.stdout
    kept = "\n".join(line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines())
    assert asked(kept) == {url for url in asked(checked.stderr) if url.startswith("http:")}


def test_a_password_in_a_url_is_not_told(tree: Path, tmp_path: Path) -> None:
    with mirror(tree, "--ftp", "off") as running:
        address = running.url.removeprefix("http://")
        done = run("bundler", "inspect", f"http://me:{SECRET}@{address}", "-v", "--log-file", str(tmp_path / "log"))
    assert f"http://{address}/bundle.json" in asked(done.stderr)
    assert SECRET not in done.stderr + (tmp_path / "log").read_text()


def test_the_log_of_a_mirror_goes_into_its_file_too(tree: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with mirror(tree, "--ftp", "off", "--log-file", str(log)) as running:
        running.reload()
    lines = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    assert lines[0].startswith("mirror serve, version ")
    assert [line for line in lines if line.startswith("mirror: ")] != []
    assert lines[-1].startswith("mirror: exit 0 after ")
