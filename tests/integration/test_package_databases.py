"""Package databases as the real programs write them: RPM's in SQLite, and this host's own of dpkg.

Debian's rpm is built without ndb; the unit tests write that form by its description.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.materials.databases import reader_of
from bundler.materials.layer_reading import read_layer
from bundler.materials.os_package import OsPackage
from tests.fakes.small_rpms import SmallRpm
from tests.programs import missing_program
from tests.unit.materials.databases import layer

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.integration
RPMS = [
    SmallRpm("bash", "5.1.8", "6.el9", signed=False),
    SmallRpm("openssl", "3.0.7", "24.el9", epoch=1),
    *(SmallRpm(f"filler-{number}", signed=False) for number in range(300)),
]
EXPECTED = sorted(
    OsPackage("rpm", rpm.name, f"{rpm.version}-{rpm.release}", rpm.arch, rpm.epoch, license_text="MIT") for rpm in RPMS
)


def run(*command: str | Path) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError as error:
        if missing := missing_program(error):
            pytest.skip(missing)
        raise
    assert done.returncode == 0, done.stderr
    return done.stdout


def installed(root: Path) -> Path:
    """Install the packages with rpm below a root, and return its database's directory."""
    packages: Sequence[Path] = [root / rpm.file_name for rpm in RPMS]
    for rpm, path in zip(RPMS, packages, strict=True):
        path.write_bytes(rpm.content())
    define = ("--define", "_db_backend sqlite", "--define", "_dbpath /db", "--root", str(root))
    run("rpm", *define, "--initdb")
    run("rpm", *define, "-i", "--justdb", "--nodeps", "--nosignature", "--noscripts", "--ignorearch", *packages)
    # a package that was removed again is none any more
    run("rpm", *define, "-e", "--justdb", "--nodeps", "filler-7")
    return root / "db"


def test_what_rpm_has_installed_is_read(tmp_path: Path) -> None:
    database = installed(tmp_path) / "rpmdb.sqlite"
    path = "usr/lib/sysimage/rpm/rpmdb.sqlite"
    found = read_layer([layer({path: database.read_bytes()})], where="layer")
    assert found.unread == {}
    assert sorted(found.packages[path]) == [package for package in EXPECTED if package.name != "filler-7"]


def test_this_hosts_packages_are_those_that_dpkg_tells() -> None:
    lines = run("dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n")
    rows = (line.split("\t") for line in lines.splitlines())
    told = sorted(tuple(rest) for status, *rest in rows if status == "installed")
    reader = reader_of("var/lib/dpkg/status")
    assert reader is not None
    found = reader(bytearray(Path("/var/lib/dpkg/status").read_bytes()))
    assert sorted((package.name, package.version, package.arch) for package in found) == told
