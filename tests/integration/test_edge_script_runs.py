"""edge.sh and other runs of it: those that go on, those that ended, and what they have left."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from tests.integration.edge_bundle import FILES, WITHIN_S, is_whole, made, run, script
from tests.integration.nginx import nginx
from tests.integration.push_script import SHELLS

pytestmark = [pytest.mark.integration, pytest.mark.skipif(platform.machine() != "x86_64", reason="files for x86_64")]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An unpacked bundle with a part for edges."""
    return made(tmp_path, "served", FILES)


def test_another_run_is_not_disturbed(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        lock = tmp_path / f"root/.{name}.edge.lock"
        lock.parent.mkdir()
        lock.symlink_to(f"process.{os.getpid()}")
        assert f"process {os.getpid()}" in run("sh", file, "--root", "root", code=9).stderr
        with subprocess.Popen(["true"]) as ended:
            ended.wait()
        lock.unlink()
        lock.symlink_to(f"process.{ended.pid}")
        run("sh", file, "--root", "root")
        is_whole(tmp_path / "root", name)


def test_a_process_of_an_earlier_boot_is_no_run(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        lock = tmp_path / f"root/.{name}.edge.lock"
        lock.parent.mkdir()
        # after a power cut somebody else has its number
        lock.symlink_to(f"process.{os.getpid()}.00000000-0000-4000-8000-000000000000")
        run("sh", file, "--root", "root")
        is_whole(tmp_path / "root", name)
        lock.symlink_to(f"process.{os.getpid()}.{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}")
        assert f"process {os.getpid()}" in run("sh", file, "--root", "root", code=9).stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_run_for_another_bundle_left_is_removed_unless_it_goes_on(
    tmp_path: Path, tree: Path, shell: str
) -> None:
    older, living, ours = ".demo-0123456789ab.edge", ".demo-ba9876543210.edge", ".demo-notes.edge"
    root = tmp_path / "root"
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        for left in (older, f"{older}.work", living, ours):
            (root / left / "kubeedge").mkdir(parents=True)
            (root / left / "kubeedge/keadm.part").write_bytes(b"half")
        with subprocess.Popen(["true"]) as ended:
            ended.wait()
        (root / f"{older}.lock").symlink_to(f"process.{ended.pid}")
        (root / f"{living}.lock").symlink_to(f"process.{os.getpid()}")
        told = run(shell, file, "--root", "root").stdout
        assert f"{older}: removed, left by a run for another bundle" in told
        there = {path.name for path in root.iterdir()}
        assert there == {name, "current", living, f"{living}.lock", ours}
        (root / f"{living}.lock").unlink()
        run(shell, file, "--root", "root")
        assert not (root / living).exists()


def test_of_two_that_find_a_dead_run_one_goes_on(tmp_path: Path, tree: Path) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        with subprocess.Popen(["true"]) as ended:
            ended.wait()
        (tmp_path / "root").mkdir()
        (tmp_path / f"root/.{name}.edge.lock").symlink_to(f"process.{ended.pid}")
        command = ["sh", str(file), "--root", str(tmp_path / "root")]
        both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
        codes = sorted(one.wait(WITHIN_S) for one in both)
    # the slower one may begin after the faster one has ended
    assert codes in ([0, 9], [0, 0])
    is_whole(tmp_path / "root", name)
