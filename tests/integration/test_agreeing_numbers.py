"""The demo's bundle by every command that counts: equal things are the same number, in one order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.artifact import table_order
from tests.integration.demo_bundle import MANIFEST, demo_upstream
from tests.integration.on_terminal import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
COLUMNS = 80


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with demo_upstream() as address:
        yield address


def run(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bundler", *words]
    settings = {**os.environ, "BUNDLER_STORE": str(directory / "store"), "XDG_CONFIG_HOME": str(directory)}
    done = subprocess.run(command, cwd=directory, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def asked(directory: Path, *words: str) -> Any:
    return json.loads(run(directory, *words, "--json").stdout)


def test_all_commands_give_the_same_numbers_and_list_in_one_order(upstream: str, tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(MANIFEST.read_text())
    wanted = ("demo.yaml", "--set", f"upstream={upstream}")
    building = ("build", *wanted, "-o", "demo.tar.gz")
    before = asked(tmp_path, "plan", *wanted)
    first = run(tmp_path, *building, "--json")
    between = asked(tmp_path, "plan", *wanted)
    again = asked(tmp_path, *building)
    built = json.loads(first.stdout)

    # what is downloaded: in all, and the two parts of it
    totals = {plan["total_bytes"] for plan in (before, between)}
    totals |= {one["fetched_bytes"] + one["present_bytes"] for one in (built, again)}
    assert len(totals) == 1
    assert built["fetched_bytes"] == before["fetch_bytes"] > 0
    assert (between["fetch_bytes"], again["fetched_bytes"]) == (0, 0)
    assert sum(fetch["bytes"] for fetch in between["fetches"]) == between["total_bytes"]
    assert "in all, " in first.stderr.splitlines()[0]
    assert " fetched, " in first.stderr.splitlines()[-1]

    # what is in the bundle
    inspected = asked(tmp_path, "inspect", "demo.tar.gz")
    verified = asked(tmp_path, "verify", "demo.tar.gz")
    unpacked = asked(tmp_path, "unpack", "demo.tar.gz", "-C", "tree")
    of_tree = asked(tmp_path, "verify", "tree")
    answers = (built, again, inspected, verified, unpacked, of_tree)
    assert len({(answer["files"], answer["content_bytes"]) for answer in answers}) == 1
    on_disk = [path for path in (tmp_path / "tree").rglob("*") if path.is_file()]
    assert (len(on_disk), sum(path.stat().st_size for path in on_disk)) == (built["files"], built["content_bytes"])

    # in which order
    artifacts = [(one["kind"], one["name"]) for one in inspected["artifacts"]]
    assert artifacts == sorted(artifacts, key=lambda one: table_order(*one))
    named = [line.split()[:2] for line in run(tmp_path, "inspect", "demo.lock.json").stdout.splitlines()[1:]]
    assert ["rpms", "yum/demo-agent-2.0-1.x86_64"] in named
    planned = [line.split() for line in run(tmp_path, "plan", *wanted).stdout.split("\n\n")[0].splitlines()[1:]]
    listed = [[row[0], row[-1]] for row in planned]
    assert listed == [row for row in named if row in listed]
    # on the smallest terminal there is
    for words in (("plan", *wanted), ("inspect", "demo.tar.gz"), ("inspect", "demo.lock.json")):
        drawn = on_terminal(tmp_path, COLUMNS, *words, standard_output=True)
        assert max(map(len, drawn.split("\r\n\r\n")[0].splitlines())) <= COLUMNS
    (tmp_path / "empty.lock.json").write_text(
        json.dumps({**json.loads((tmp_path / "demo.lock.json").read_text()), "entries": []})
    )
    changes = asked(tmp_path, "diff", "empty.lock.json", "demo.tar.gz")["changes"]
    assert [(one["kind"], one["name"]) for one in changes] == artifacts
