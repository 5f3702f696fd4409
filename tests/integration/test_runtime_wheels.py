"""Every package that the target needs has a wheel for glibc 2.17, on both machines, that keeps this promise."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from bundler.kinds.runtime.elf import MACHINES, read_elf
from bundler.kinds.runtime.package_choice import chosen_packages
from bundler.kinds.runtime.pip import Pip
from bundler.kinds.runtime.python_pinning import host_libraries
from bundler.kinds.runtime.requirements import Target
from bundler.model.runtime_artifact import FLOOR_GLIBC
from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.kinds.runtime.elf import ElfFile

# those of the shipped manifests, and the oldest that this tool runs on
PYTHONS = ("3.11.3", "3.12.14")
_VERSION_NEEDED = re.compile(r"Name: GLIBC_([0-9.]+)")
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def _requirements() -> list[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["options"]["install_requires"].split("\n")[1:]


@pytest.fixture(scope="module", params=[(python, machine) for python in PYTHONS for machine in MACHINES], ids=str)
def wheels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Target, list[Path]]:
    """The wheels of one target, as pip finds them."""
    target = Target(*request.param)
    directory = tmp_path_factory.mktemp("wheels")
    index = Pip(sys.executable)
    chosen = chosen_packages(_requirements(), target, index, directory)
    fetched = index.fetch([package.found.wheel for package in chosen if package.built is None], target, directory)
    return target, [*fetched.values(), *(package.built.wheel for package in chosen if package.built is not None)]


def _libraries(wheel: Path, directory: Path) -> dict[str, ElfFile]:
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".so" in name:
                path = directory / name
                archive.extract(name, directory)
                with path.open("rb") as file:
                    elf = read_elf(file)
                assert elf is not None, name
                _agrees_with_readelf(path, elf)
                found[name] = elf
    return found


def _agrees_with_readelf(path: Path, elf: ElfFile) -> None:
    """Hold our reader against binutils."""
    shown = subprocess.run(["readelf", "--dynamic", "-V", path], check=True, capture_output=True, text=True).stdout
    assert set(elf.needed) == set(_NEEDED.findall(shown))
    versions = {tuple(map(int, version.split("."))) for version in _VERSION_NEEDED.findall(shown)}
    assert elf.glibc == max(versions, default=())


def test_they_run_on_centos_7(wheels: tuple[Target, list[Path]], tmp_path: Path) -> None:
    target, files = wheels
    libraries = {name: elf for wheel in files for name, elf in _libraries(wheel, tmp_path).items()}

    assert len(libraries) > 5
    assert {name: elf.glibc for name, elf in libraries.items() if elf.glibc > FLOOR_GLIBC} == {}
    assert {elf.machine for elf in libraries.values()} == {MACHINES[target.machine]}
    # pyeclib's, for `bundler repair` alone; rpm and systemd of CentOS 7 need it as well
    assert host_libraries(libraries) == ("libz.so.1",)


def test_markers_are_judged_for_the_runtimes_own_python(wheels: tuple[Target, list[Path]]) -> None:
    target, files = wheels
    names = {path.name.partition("-")[0].lower() for path in files}

    assert {"click", "requests", "docker", "tqdm", "pyftpdlib", "pyyaml", "deflate", "cffi"} <= names
    # asyncore left the standard library with Python 3.12
    assert ("pyasyncore" in names) == (target.minor != "3.11")
    assert names.isdisjoint({"solv", "createrepo_c", "rpm_rs", "packaging", "setuptools", "pip"})
