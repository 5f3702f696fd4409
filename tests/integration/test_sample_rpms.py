"""Packages that others made: what our readers and our repodata say of them is what rpm, createrepo_c and dnf say."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import createrepo_c
import pytest

from bundler.model.digest import Blob
from bundler.rpm.metadata.package_reader import read_package
from bundler.rpm.metadata.repodata import RepoPackage, write_repodata
from bundler.rpm.signing.checking import package_summary
from bundler.rpm.signing.rpm_file import read_rpm
from tests.integration.dnf_client import DnfClient
from tests.integration.rpm_packages import make_repository, run
from tests.integration.sample_rpms import sample_rpms

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "Archer-3.4.5-6.x86_64",
    "Rimmer-1.0.2-2.x86_64",
    "balicek-iso88591-1.1.1-1.x86_64",
    "balicek-iso88592-1.1.1-1.x86_64",
    "balicek-utf8-1.1.1-1.x86_64",
    "empty-0-0.src",
    "empty-0-0.x86_64",
    "fake_bash-1.1.1-1.x86_64",
    "super_kernel-6.0.1-2.x86_64",
]
FIELDS = ("requires", "provides", "conflicts", "obsoletes", "recommends", "suggests", "files", "summary", "description")


@pytest.fixture(scope="module")
def samples() -> dict[str, Path]:
    found = {path.stem: path for path in sample_rpms()}
    assert sorted(found) == NAMES
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_knows_the_package_as_rpm_does(samples: dict[str, Path], name: str) -> None:
    path = samples[name]
    form = "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%|SOURCERPM?{%{ARCH}}:{src}||%{BUILDTIME}"
    told = run(["rpm", "-qp", "--nosignature", "--queryformat", form, str(path)], os.environ).split("|")
    with path.open("rb") as file:
        nevra = read_rpm(file, name).about.nevra
    assert [nevra.name, str(nevra.epoch), nevra.version, nevra.release, nevra.arch] == told[:5]
    assert package_summary(path, where=name).nevra == nevra
    record = read_package(createrepo_c, path, Blob.of(path.read_bytes()))
    assert [record.name, record.epoch, record.version, record.release, record.arch] == told[:5]
    assert str(record.time_build) == told[5]


def seen_by_dnf(directory: Path, scratch: Path) -> dict[str, str]:
    """Return field -> what dnf says of it, of all packages of a repository."""
    client = DnfClient(scratch, {"samples": directory.as_uri()}, gpgcheck=False)
    packages = {"nevra": "%{name}|%{evr}|%{arch}|%{size}|%{buildtime}|%{location}"}
    forms = packages | {name: f"%{{name}}.%{{arch}}\\n%{{{name}}}\\n" for name in FIELDS}
    asked = ("repoquery", "--quiet", "--disablerepo=*", "--enablerepo=samples", "--queryformat")
    return {name: client.run(*asked, form, "*") for name, form in forms.items()}


def test_dnf_sees_the_same_in_our_repodata_as_in_those_of_createrepo_c(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    make_repository(theirs, tuple(samples.values()))
    ours.mkdir()
    for path in samples.values():
        shutil.copy2(path, ours)
    packages = [RepoPackage(path, path.name, Blob.of(path.read_bytes()), 1) for path in samples.values()]
    for name, content in write_repodata(packages).items():
        (ours / name).parent.mkdir(exist_ok=True)
        (ours / name).write_bytes(content)
    expected = seen_by_dnf(theirs, tmp_path / "root-theirs")
    assert len(expected["nevra"].splitlines()) == len(NAMES)
    # the samples would not tell the fields apart if they were all empty
    assert "/usr/bin/super_kernel" in expected["files"]
    assert "bzip2 >= 1.0.0" in expected["requires"]
    assert seen_by_dnf(ours, tmp_path / "root-ours") == expected
