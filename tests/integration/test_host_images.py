"""What hosts are made of: layers that are made once, and a tree with nothing but busybox."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from bundler.host.interface import CommandResult
from tests.contract.checkout import ROOT
from tests.hosts.busybox_root import busybox_root
from tests.hosts.debian_image import debian_image, made_layer
from tests.hosts.requirements import require_root
from tests.hosts.stage import PROGRAMS, HostPlan, stage

ADD_PACKAGES = ROOT / "tests" / "hosts" / "add-packages.sh"
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]


def test_a_layer_is_made_once_however_many_want_it(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(layer: Path) -> None:
        made.append(layer)
        (layer / "file").write_text("text")

    found: list[Path] = []
    users = [
        threading.Thread(target=lambda: found.append(made_layer(("one", "two"), make, tmp_path))) for _ in range(4)
    ]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert (len(made), len(found), len(set(found))) == (1, 4, 1)
    assert (found[0] / "file").read_text() == "text"
    assert made_layer(("one", "three"), make, tmp_path) != found[0]


def test_a_layer_whose_making_failed_is_not_there(tmp_path: Path) -> None:
    def fail(layer: Path) -> None:
        (layer / "half").write_text("")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        made_layer(("one",), fail, tmp_path)
    left = [path for path in tmp_path.iterdir() if path.is_dir()]
    layer = made_layer(("one",), lambda directory: (directory / "whole").touch(), tmp_path)
    assert [path.name for path in layer.iterdir()] == ["whole"]
    assert left != [layer]
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [layer]


def test_an_image_with_further_packages_lies_on_the_smallest_one() -> None:
    require_root(*PROGRAMS)
    layers = debian_image("less")
    assert layers[1:] == debian_image()
    assert (layers[0] / "usr" / "bin" / "less").exists()
    assert not (layers[0] / "etc" / "debian_version").exists()
    with stage(HostPlan("edge", packages=("less",))) as (edge,):
        edge.start()
        assert edge.sh("less --version").startswith("less ")


def test_a_tree_with_busybox_alone(tmp_path: Path) -> None:
    root = busybox_root(tmp_path / "a root")
    (root.directory / "opt" / "script").write_text('cat; echo "$WHO"; ls / | tr "\\n" " "; exit 3')
    done = root.run("sh", "/opt/script", stdin=b"in\n", env={"WHO": "me"})
    assert done == CommandResult(3, "in\nme\nbin dev etc opt root tmp usr var ", "")
    assert root.run("/bin/bash").code == 127
    assert root.run("sh", "-c", "echo x >/dev/null && ls /proc").code != 0


@pytest.mark.parametrize("code", [0, 100])
def test_packages_that_are_installed_or_not_leave_no_mounts_and_this_machines_devices(
    tmp_path: Path, code: int
) -> None:
    require_root("unshare", "mount")
    base, layer, programs = tmp_path / "base", tmp_path / "layer", tmp_path / "programs"
    for directory in ("proc", "dev", "etc/apt/apt.conf.d", "usr/sbin"):
        (base / directory).mkdir(parents=True)
    layer.mkdir()
    programs.mkdir()
    apt = programs / "chroot"
    apt.write_text(f'#!/bin/sh\nls "$1/dev/zero" >&2\nexit {code}\n')
    apt.chmod(0o755)
    # overlays want a file system of their own
    script = 'mount -t tmpfs tmpfs "$0" && cp -a "$1" "$2" "$0" && exec sh -eu "$3" "$0/layer" - "$0/base" a-package'
    place = tmp_path / "place"
    place.mkdir()
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-eu",
            "-c",
            script,
            place,
            base,
            layer,
            ADD_PACKAGES,
        ],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "/dev/zero" in done.stderr
    assert stat.S_ISCHR(Path("/dev/zero").stat().st_mode)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
