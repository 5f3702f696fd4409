"""The wheel holds all that the packages need: installed outside the checkout, its commands run and build a bundle."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from bundler import __version__
from bundler.kinds.images.scripts import travelling_scripts
from scripts.demo_upstream.server import Upstream, demo_tree
from tests.contract.checkout import PRODUCT, ROOT, package_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# one worker of a parallel run builds the wheel for all of these
pytestmark = pytest.mark.xdist_group("wheel")
SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy without the build back-end's leftovers of earlier times."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    for package in PRODUCT:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    _run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist"], source)
    (made,) = (source / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of a virtual environment with the wheel in it."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    _run([sys.executable, "-m", "venv", "--without-pip", place], place.parent)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], place.parent)
    # The dependencies are this interpreter's. A path in a .pth file brings no .pth files of that directory into effect,
    # so the editable installation of the checkout stays out.
    (site_packages,) = place.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def _run(command: Sequence[str | Path], directory: Path, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(directory), "PATH": "/usr/bin:/bin", "LANG": "C"}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(name for name in names if ".dist-info/" not in name) == list(package_files())


def test_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    said = _run(
        [installed / "python", "-c", "import bundler, mirror; print(bundler.__file__, mirror.__file__)"], tmp_path
    )
    assert str(ROOT) not in said.stdout
    assert said.stdout.count(str(installed.parent)) == 2


def test_the_wheel_has_the_version_that_the_programs_say(wheel: Path) -> None:
    assert wheel.name.split("-")[1] == __version__


def test_console_scripts_run(installed: Path, tmp_path: Path) -> None:
    for program in ("bundler", "mirror"):
        said = _run([installed / program, "--version"], tmp_path)
        assert said.stdout == f"{program}, version {__version__}\n"


def test_installed_package_builds_a_bundle_with_the_scripts_that_travel(installed: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "manifests" / "demo.yaml", tmp_path)
    with Upstream(demo_tree()) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        build = [str(installed / "bundler"), "build", "demo.yaml", "--set", f"upstream={upstream.address}"]
        _run([*build, "-o", "demo.tar.gz", "--store", "store"], tmp_path)
        upstream.shutdown()
    with tarfile.open(tmp_path / "demo.tar.gz") as archive:
        for name, content in travelling_scripts().items():
            script = archive.extractfile(f"k8simage/{name}")
            assert script is not None
            assert script.read() == content
