"""`bundler site invite` and `join` as programs, on a host whose /etc, /run and /var are its own: real codes, real TLS.

The steps do not begin: another `bundler site` holds the host's lock meanwhile, which is what the joining then tells.
"""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.model.json_value import dump_canonical
from bundler.site.invitation.join_message import JoinAnswer
from bundler.site.invitation.offering import join_answer
from tests.contract.checkout import ROOT
from tests.fakes.host import MemoryHost
from tests.integration.invitations import HERE, listening
from tests.unit.site.sites import SITE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="a host of its own wants root"),
]
# $1 is the place that the test sees; the rest is the command
_OWN = """
mount --bind "$1/etc" /etc && mount --bind "$1/run" /run && mount --bind "$1/var" /var/lib && shift &&
mkdir -p /var/lib/kubeedge-bundler/edge && exec flock /var/lib/kubeedge-bundler/edge/journal.json.lock "$@"
"""
WITHIN_S = 120
SITE_YAML = """version: 1
hosts:
  - {name: master, role: cloud, address: 127.0.0.1}
  - {name: edge1, role: edge, address: 192.0.2.11}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Directories that stand for a host's own."""
    for name in ("run", "var"):
        (tmp_path / name).mkdir()
    shutil.copytree("/etc/ssl", tmp_path / "etc/ssl", symlinks=True)
    return tmp_path


def command(place: Path, *words: str) -> list[str]:
    ours = [sys.executable, "-m", "bundler", "site", *words]
    return ["unshare", "--mount", "sh", "-c", _OWN, "sh", str(place), *ours]


def give(host: str) -> JoinAnswer:
    """Return what a master gives, with a registry's authority and login."""
    answer = join_answer(MemoryHost(), SITE, edge=host, bundle="", token=lambda: "the-token")
    return JoinAnswer(host, answer.token, answer.site, "PEM\n", {"auths": {}})


def test_a_code_in_a_file_brings_everything_but_a_token_that_stays(place: Path) -> None:
    code = place / "code"
    with listening() as running:
        running.gives = give
        code.write_text(running.invited.codes["edge1"].text)
        words = ("join", "--mirror", f"http://{HERE}:8088/@x", "--port", str(running.port), "--host", "edge1")
        joining = command(place, *words, "--code-file", str(code), "--json")
        code.chmod(0o640)
        refused = subprocess.run(joining, capture_output=True, text=True, check=False, cwd=ROOT, timeout=WITHIN_S)
        assert json.loads(refused.stdout)["id"] == "permissions-too-open"
        assert running.uses == []
        code.chmod(0o600)
        done = subprocess.run(joining, capture_output=True, text=True, check=False, cwd=ROOT, timeout=WITHIN_S)
    # everything was put in its place, and then the steps could not begin
    assert json.loads(done.stdout)["id"] == "site-busy", done.stderr
    assert "another `bundler site` changes this host" in done.stderr
    there = {path.name: path for path in (place / "etc/bundler").rglob("*") if path.is_file()}
    assert {name: path.stat().st_mode & 0o777 for name, path in there.items()} == {
        "site.yaml": 0o600,
        "ca.crt": 0o644,
        "pull.json": 0o600,
    }
    assert not any(b"the-token" in path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert list((place / "run/kubeedge-bundler").iterdir()) == []
    assert "the-token" not in done.stdout + done.stderr


def test_a_code_is_typed_on_the_terminal_and_may_be_mistyped(place: Path) -> None:
    with listening() as running:
        running.gives = give
        text = running.invited.codes["edge1"].text
        wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
        words = ("join", "--mirror", HERE, "--port", str(running.port), "--host", "edge1")
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(ROOT)
            os.execvp("unshare", command(place, *words))  # noqa: S606 - the child becomes it
        os.write(terminal, f"{wrong}\n{text}\n".encode())
        printed = b""
        try:
            while data := os.read(terminal, 65536):
                printed += data
        except OSError:
            # the terminal's other side is closed
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert b"That is no code: group 16 is mistyped" in printed
    assert status == 9, printed
    assert b"[site-busy]" in printed
    assert (place / "etc/bundler/site.yaml").exists()


def test_without_terminal_and_file_nothing_is_sent(place: Path) -> None:
    with listening() as running:
        words = ("join", "--mirror", HERE, "--port", str(running.port), "--host", "edge1", "--json")
        done = subprocess.run(
            command(place, *words), input=running.invited.codes["edge1"].text, capture_output=True, text=True,
            check=False, cwd=ROOT, timeout=WITHIN_S, start_new_session=True,
        )  # fmt: skip
        assert json.loads(done.stdout)["id"] == "site-code-invalid"
        assert "--code-file" in json.loads(done.stdout)["remedy"]
        assert running.uses == []


def test_the_master_invites_and_says_what_came(place: Path) -> None:
    (place / "site.yaml").write_text(SITE_YAML)
    codes = place / "codes"
    words = ("invite", "--host", "edge1", "--address", HERE, "--port", "18090", "--codes", str(codes))
    inviting = subprocess.Popen(
        command(place, *words, "--config", str(place / "site.yaml"), "--json"),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip
    assert inviting.stdout is not None
    lines = [next(inviting.stdout)]
    while lines[-1].rstrip() != "}":
        lines.append(next(inviting.stdout))
    value = json.loads("".join(lines))
    (invitation,) = value["invitations"]
    assert invitation["line"].endswith("/-/edge.sh | sh -s -- --join --host edge1 --port 18090")
    (script,) = codes.iterdir()
    assert (script.name, script.stat().st_mode & 0o777) == ("edge1.sh", 0o600)
    assert invitation["code"] in script.read_text()
    other = place / "other"
    for name in ("run", "var", "etc"):
        (other / name).mkdir(parents=True)
    (place / "code").write_bytes(dump_canonical(invitation["code"]).strip(b'"\n'))
    (place / "code").chmod(0o600)
    join = (
        "join",
        "--mirror",
        HERE,
        "--port",
        "18090",
        "--host",
        "edge1",
        "--code-file",
        str(place / "code"),
        "--json",
    )
    done = subprocess.run(command(other, *join), cwd=ROOT, capture_output=True, text=True, check=False)
    # there is no cluster to get a token from; the code still counts
    assert json.loads(done.stdout)["id"] == "site-join-refused", done.stderr
    assert "the code still counts" in json.loads(done.stdout)["remedy"]
    os.killpg(inviting.pid, signal.SIGTERM)
    _, shown = inviting.communicate(timeout=WITHIN_S)
    assert "edge1: not-given" in shown
    assert list(codes.iterdir()) == []
    kept = place / "var/kubeedge-bundler/invitations"
    assert [path.name for path in kept.iterdir()] == ["uses.log"]
    assert invitation["code"] not in (kept / "uses.log").read_text()
