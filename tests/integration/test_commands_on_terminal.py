"""Commands on a real terminal: bars where they can be drawn, and what Ctrl-C leaves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.on_terminal import WITHIN_S, on_terminal
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration
MANIFEST = "version: 1\nname: demo\nplatforms: [linux/amd64]\nfiles:\n  - path: docs/x\n    url: http://{}/x\n"


@pytest.mark.parametrize("words", [("verify", "demo.tar.gz"), ("unpack", "demo.tar.gz", "-C", "tree")])
def test_an_archive_tells_share_and_time_left_and_the_last_line_its_bytes(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    sample(tmp_path, {"kubeedge/big": b"x" * (8 << 20)}).write(tmp_path / "demo.tar.gz")
    drawn = on_terminal(tmp_path, 100, *words)
    assert "demo.tar.gz:   0%|" in drawn
    assert "/8.0 MiB, " in drawn
    assert " left" in drawn
    assert drawn.rstrip().rpartition("\r")[2].strip().endswith(": 8.0 MiB")

    lines = on_terminal(tmp_path, 0, "verify", "demo.tar.gz").splitlines()
    assert lines[0] == "demo.tar.gz: intact, 8.0 MiB"
    assert len(lines) == 2
    assert "%" not in lines[1]


@pytest.mark.parametrize(
    ("sent", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_an_interrupted_build_says_what_is_kept_and_what_to_type(
    tmp_path: Path, sent: signal.Signals, code: int, word: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        (tmp_path / "my site.yaml").write_text(MANIFEST.format(address))
        command = [sys.executable, "-m", "bundler", "build", "my site.yaml", "--store", "store"]
        settings = {**os.environ, "no_proxy": "*", "XDG_CONFIG_HOME": str(tmp_path)}
        with subprocess.Popen(command, cwd=tmp_path, env=settings, stderr=subprocess.PIPE, text=True) as process:
            silent.settimeout(WITHIN_S)
            connection, _ = silent.accept()
            process.send_signal(sent)
            _, said = process.communicate(timeout=WITHIN_S)
            connection.close()
    assert process.returncode == code
    assert f"{word}: What was downloaded is kept in store.\n" in said
    assert "\n  To go on, type: bundler build 'my site.yaml' --store store\n" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my site.yaml", "store"]
