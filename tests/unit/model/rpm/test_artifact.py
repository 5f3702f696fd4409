"""Packages and repositories in the lock: what is written is read again, and what cannot be is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bundler.model.artifact import Aliased, HeldTo, title_of
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import dump_pretty
from bundler.model.platform import Platform
from bundler.model.rpm.artifact import RepoArtifact, RepoOrigin, RpmArtifact, decode_rpm_artifact
from bundler.model.rpm.nevra import Nevra

CONTENT = Blob.of(b"package")
AMD64 = Platform("linux", "amd64")
RPM = RpmArtifact(
    directory=BundlePath("yum"),
    nevra=Nevra("docker-ce", 3, "20.10.9", "3.el7", "x86_64"),
    repo="docker",
    urls=("https://x.example/pool/1-docker.rpm",),
    content=CONTENT,
    checksum=CONTENT.digest,
    held_to=HeldTo("signature", "621e9f35a73e7a5b"),
    signed=True,
    date=1_600_000_000,
    summary="Engine",
    platform=AMD64,
)
REPOSITORY = RepoArtifact(
    directory=BundlePath("yum"),
    release="7",
    arch="x86_64",
    platform=AMD64,
    origins=(RepoOrigin("docker", ("https://x.example/",), gpgcheck=True, keys=("-----BEGIN\nabc\n",)),),
    comps="<comps/>\n",
    modules="---\na: b\n...\n",
    updateinfo="<updates/>\n",
    installed_path="el7.txt",
    installed="bash-4.2-1.x86_64\n\n# end, without a newline",
)


@pytest.mark.parametrize(
    "artifact",
    [
        RPM,
        replace(RPM, checksum=Digest("sha512", "a" * 128), signed=False, roles=("edge",)),
        REPOSITORY,
        replace(REPOSITORY, comps="", modules="", updateinfo="", installed="", installed_path="", origins=()),
    ],
)
def test_what_is_written_is_read_again(artifact: RpmArtifact | RepoArtifact) -> None:
    assert decode_rpm_artifact(json.loads(dump_pretty(artifact.encode()))) == artifact


def test_a_package_is_known_by_name_and_architecture_whatever_its_version() -> None:
    assert RPM.key == "yum/docker-ce.x86_64"
    assert RPM.version == "3:20.10.9-3.el7"
    assert RPM.path == "yum/docker-ce-20.10.9-3.el7.x86_64.rpm"
    assert isinstance(RPM, Aliased)
    assert RPM.aliases == ("docker-ce", "docker-ce.x86_64", "docker-ce-3:20.10.9-3.el7.x86_64", RPM.title, "docker")
    assert title_of(RPM) == "yum/docker-ce-3:20.10.9-3.el7.x86_64"


def test_a_repository_changes_with_anything_it_says() -> None:
    assert (REPOSITORY.key, REPOSITORY.blobs) == ("yum", ())
    assert replace(REPOSITORY, comps="<comps />\n").version != REPOSITORY.version
    texts = (REPOSITORY.comps, REPOSITORY.modules, REPOSITORY.updateinfo, REPOSITORY.installed, "-----BEGIN\nabc\n")
    assert REPOSITORY.size == sum(map(len, texts))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "thing"},
        {"nevra": "docker-ce"},
        {"nevra": "../x-1-1.noarch"},
        {"directory": "../yum"},
        {"urls": []},
        {"size": -1},
        {"date": -1},
        {"date": "today"},
        {"signed": "yes"},
        {"roles": ["nobody"]},
        {"checksum": "sha256:" + "0" * 64},
        {"held_to": {"by": "hearsay"}},
    ],
)
def test_faulty_packages(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode_rpm_artifact({**json.loads(dump_pretty(RPM.encode())), **change})


@pytest.mark.parametrize(
    "change",
    [{"comps": "text"}, {"comps": [1]}, {"installed_path": "/etc/passwd"}, {"origins": [{}]}, {"roles": ["x"]}],
)
def test_faulty_repositories(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode_rpm_artifact({**json.loads(dump_pretty(REPOSITORY.encode())), **change})
