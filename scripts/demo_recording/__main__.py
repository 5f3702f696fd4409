"""Record and draw: `python -m scripts.demo_recording [--draw]`. Every command is run, and what it prints is shown."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo_recording.cast import PROMPT, Cast, TimedLine, load_cast
from scripts.demo_recording.terminal_picture import picture
from scripts.demo_upstream.server import Upstream, demo_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
CAST, PICTURE = PICTURES / "demo.cast", PICTURES / "demo.svg"
TITLE = "manifests/demo.yaml: checked, built, verified, served (pauses shortened)"
COLUMNS, ROWS = 96, 24
# the manifest's own default
UPSTREAM_PORT = 5000
ARCHIVE = "demo_allinone-1.tar.gz"
SERVING = "mirror serve --root opt --http 127.0.0.1:8088 --ftp 127.0.0.1:2121"
COMMANDS = (
    "bundler check demo.yaml",
    "bundler plan demo.yaml",
    "bundler build demo.yaml",
    f"bundler verify {ARCHIVE}",
    f"tar -zxf {ARCHIVE} -C opt",
    "(cd opt && sha256sum -c --quiet SHA256SUMS) && echo as bundled",
    f"{SERVING} &",
    "curl -s http://127.0.0.1:8088/v2/_catalog",
    "curl -s ftp://127.0.0.1:2121/docs/notes.txt",
)
# the last line with which a mirror says that it serves
SERVES = "stop: kill"


def record(directory: Path) -> Cast:
    """Run all commands in a directory that has the manifest; SystemExit where one fails.

    No setting of whoever records it has a part in it.
    """
    began_s = time.monotonic()
    lines: list[TimedLine] = []

    def show(text: str) -> None:
        lines.append(TimedLine(time.monotonic() - began_s, text.rstrip("\n")))

    own = {name: value for name, value in os.environ.items() if not name.startswith(("BUNDLER_", "MIRROR_"))}
    environment = {
        **own,
        "PATH": f"{Path(sys.executable).parent}:{own['PATH']}",
        "LC_ALL": "C",
        "COLUMNS": str(COLUMNS),
        "no_proxy": "127.0.0.1",
        "XDG_CONFIG_HOME": str(directory),
        "BUNDLER_STORE": "store",
    }
    serving: list[subprocess.Popen[str]] = []
    try:
        for command in COMMANDS:
            show(PROMPT + command)
            process = _started(command.removesuffix(" &"), directory, environment)
            for line in process.stdout or ():
                show(line)
                if command.endswith("&") and SERVES in line:
                    serving.append(process)
                    break
            else:
                if process.wait():
                    raise SystemExit(f"scripts/demo-recording: {command}: {process.returncode}\n{lines[-1].text}")
    finally:
        for process in serving:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    return Cast(TITLE, COLUMNS, ROWS, tuple(lines))


def _started(command: str, directory: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(
        ["bash", "-c", command], cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=both,
        text=True, start_new_session=True,
    )  # fmt: skip


def make_recording() -> Cast:
    """Record with an upstream beside it."""
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        directory = Path(name)
        # the mirror's workers have no rights
        directory.chmod(0o755)
        (directory / "opt").mkdir()
        (directory / "demo.yaml").write_bytes((ROOT / "manifests" / "demo.yaml").read_bytes())
        with Upstream(demo_tree(), UPSTREAM_PORT) as upstream:
            threading.Thread(target=upstream.serve_forever, daemon=True).start()
            try:
                return record(directory)
            finally:
                upstream.shutdown()


def main(arguments: Sequence[str]) -> None:
    """Write the recording and its picture, and print their names."""
    parser = argparse.ArgumentParser(prog="scripts/demo-recording")
    parser.add_argument("--draw", action="store_true", help="draw the recording that is there")
    if not parser.parse_args(arguments).draw:
        CAST.write_text(make_recording().dump())
        print(CAST)
    PICTURE.write_text(picture(load_cast(CAST.read_text())))
    print(PICTURE)


if __name__ == "__main__":
    main(sys.argv[1:])
