"""What hosts are made of: layers that are made once, and a tree with nothing but busybox."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bundler.host.interface import CommandResult
from tests.hosts.busybox_root import busybox_root
from tests.hosts.debian_image import debian_image, made_layer
from tests.hosts.requirements import require_root
from tests.hosts.stage import PROGRAMS, HostPlan, stage

if TYPE_CHECKING:
    from pathlib import Path

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
