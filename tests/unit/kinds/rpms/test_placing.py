"""Where locked repositories go in the bundle, and what is left of them for some platforms only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Sources
from bundler.kinds.rpms.kind import RpmsKind
from bundler.kinds.rpms.placing import key_files
from bundler.model.about import encode_about
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.lock import LockedEntry
from bundler.model.platform import Platform
from bundler.model.rpm.artifact import RepoArtifact, RepoOrigin, RpmArtifact
from bundler.model.rpm.nevra import Nevra
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry
from tests.fakes.small_rpms import KEY, KEY_ID, SmallRpm

if TYPE_CHECKING:
    from bundler.model.placement import Placement
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
APP, LIB = SmallRpm("app", arch="x86_64", built=1_700_000_000), SmallRpm("lib")


def pinned(rpm: SmallRpm, store: MemoryStore, *, signed: bool = True) -> RpmArtifact:
    content = store.put(rpm.content())
    return RpmArtifact(
        directory=BundlePath("yum"),
        nevra=Nevra(rpm.name, rpm.epoch, rpm.version, rpm.release, rpm.arch),
        repo="base",
        urls=(f"https://x.example/{rpm.file_name}",),
        content=content,
        checksum=content.digest,
        held_to=HeldTo("signature", KEY_ID),
        signed=signed,
        date=rpm.built,
        summary="About it",
        platform=AMD64,
        roles=("cloud",),
    )


def repository(directory: str = "yum", *keys: str) -> RepoArtifact:
    origin = RepoOrigin("base", ("https://x.example/",), gpgcheck=True, keys=keys or (KEY.decode(),))
    return RepoArtifact(BundlePath(directory), "7", "x86_64", AMD64, (origin,), roles=("cloud",))


def placed(store: MemoryStore, *artifacts: RpmArtifact | RepoArtifact) -> dict[str, Placement]:
    entry = LockedEntry("rpms", "yum", Digest.sha256(b""), artifacts)
    sources = Sources(MappedDownloader({}), MemoryRegistry(), store, "/")
    return {str(found.path): found for found in RpmsKind().place([entry], [AMD64], sources)}


def test_a_repository_is_complete_where_it_lies(store: MemoryStore) -> None:
    app, lib = pinned(APP, store), pinned(LIB, store)
    found = placed(store, repository(), app, lib)
    repodata = sorted(path.rpartition("-")[2] for path in found if "/repodata/" in path)
    assert repodata == ["filelists.xml.gz", "other.xml.gz", "primary.xml.gz", "yum/repodata/repomd.xml"]
    assert sorted(path for path in found if "/repodata/" not in path) == [
        "yum/RPM-GPG-KEY-base",
        "yum/app-1.0-1.x86_64.rpm",
        "yum/ftp.repo.tmpl",
        "yum/http.repo.tmpl",
        "yum/lib-1.0-1.noarch.rpm",
        "yum/local.repo",
    ]
    blobs = {place.path: place.content for place in found.values() if isinstance(place.content, Blob)}
    assert {**app.placed, **lib.placed, **repository().placed} == blobs
    package = found["yum/app-1.0-1.x86_64.rpm"]
    assert (package.content, package.mtime, package.roles, package.platforms) == (
        app.content,
        APP.built,
        ("cloud",),
        (AMD64,),
    )
    about = encode_about(package.about)
    assert about["nevra"] == "app-1.0-1.x86_64"
    assert about["held_to"] == {"by": "signature", "detail": KEY_ID}
    assert found["yum/RPM-GPG-KEY-base"].content == KEY
    assert {place.platforms for place in found.values()} == {(AMD64,)}


def test_packages_that_need_more_than_there_is_are_refused(store: MemoryStore) -> None:
    app = SmallRpm("app", requires=("lib", "/usr/share/lib"))
    assert placed(store, repository(), pinned(app, store), pinned(LIB, store))
    with pytest.raises(SourceError, match="nothing provides lib needed by app") as caught:
        placed(store, repository(), pinned(app, store))
    assert (caught.value.id, caught.value.where) == (ErrorId.REPO_METADATA_INVALID, "yum")
    having_more = replace(repository(), installed_path="list", installed="lib-1-1.noarch")
    assert placed(store, having_more, pinned(app, store))


def test_placing_twice_gives_the_same_bytes(store: MemoryStore) -> None:
    artifacts = (repository(), pinned(APP, store), pinned(LIB, store))
    assert placed(store, *artifacts) == placed(store, artifacts[0], *artifacts[:0:-1])


def test_every_key_has_a_file_of_its_own_and_every_file_is_named(store: MemoryStore) -> None:
    found = placed(store, repository("yum", "first\n", "second\n"), pinned(APP, store))
    assert found["yum/RPM-GPG-KEY-base"].content == b"first\n"
    assert found["yum/RPM-GPG-KEY-base-2"].content == b"second\n"
    content = found["yum/local.repo"].content
    assert isinstance(content, bytes)
    assert b"file:///opt/yum/RPM-GPG-KEY-base\n" in content
    assert b"file:///opt/yum/RPM-GPG-KEY-base-2\n" in content


def test_no_key_takes_the_place_of_another() -> None:
    origins = [
        RepoOrigin(repo_id, ("https://x.example/",), gpgcheck=True, keys=keys)
        for repo_id, keys in (("A", ("zero",)), ("a", ("one", "two")), ("a-2", ("three",)))
    ]
    assert key_files(origins) == {
        "RPM-GPG-KEY-A": "zero",
        "RPM-GPG-KEY-a-2": "one",
        "RPM-GPG-KEY-a-3": "two",
        "RPM-GPG-KEY-a-2-2": "three",
    }


@pytest.mark.parametrize(
    ("directory", "section"),
    [("yum", "local"), ("yum-el8", "local-el8"), ("yum/el8", "local-el8"), ("rpms/el8", "local-rpms-el8")],
)
def test_several_repositories_can_be_configured_on_one_host(store: MemoryStore, directory: str, section: str) -> None:
    content = placed(store, repository(directory))[f"{directory}/local.repo"].content
    assert isinstance(content, bytes)
    assert f"[{section}]\n".encode() in content


def test_unchecked_packages_are_named_in_the_client_files(store: MemoryStore) -> None:
    content = placed(store, repository(), pinned(APP, store), pinned(LIB, store, signed=False))[
        "yum/local.repo"
    ].content
    assert isinstance(content, bytes)
    assert b"exclude=lib.noarch\n" in content
    assert b"includepkgs=lib.noarch\n" in content


def test_the_list_of_what_is_installed_travels_beside_the_manifest(store: MemoryStore) -> None:
    listed = replace(repository(), installed_path="lists/el7.txt", installed="bash-1-1.noarch\n")
    found = placed(store, listed, replace(listed, directory=BundlePath("yum-b")))
    assert found["lists/el7.txt"].content == b"bash-1-1.noarch\n"


def test_a_package_that_was_damaged_in_the_store_is_dropped(store: MemoryStore) -> None:
    app = pinned(APP, store)
    store.blobs[app.content.digest] = store.blobs[app.content.digest][:-1] + b"x"
    with pytest.raises(IntegrityError) as caught:
        placed(store, repository(), app)
    assert caught.value.id == ErrorId.DIGEST_MISMATCH
    assert not store.has(app.content)


def test_a_repository_belongs_to_its_platform(store: MemoryStore) -> None:
    sources = Sources(MappedDownloader({}), MemoryRegistry(), store, "/")
    for artifact in (repository(), pinned(LIB, store)):
        assert RpmsKind().narrow(artifact, [ARM64, AMD64], sources) == artifact
        assert RpmsKind().narrow(artifact, [ARM64], sources) is None


def test_a_package_of_two_repositories_is_fetched_once(store: MemoryStore, task: RecordingTask) -> None:
    lib = pinned(LIB, store)
    twin = replace(lib, directory=BundlePath("yum-aarch64"), urls=("https://y.example/lib.rpm",), platform=ARM64)
    [fetch] = RpmsKind().fetches([repository(), lib, twin])
    assert fetch.provides == (lib.content,)
    assert fetch.artifacts == ("yum/lib.noarch", "yum-aarch64/lib.noarch")
    content = store.blobs.pop(lib.content.digest)
    sources = Sources(MappedDownloader({"https://y.example/lib.rpm": content}), MemoryRegistry(), store, "/")
    RpmsKind().fetch(fetch, sources, task)
    assert store.has(lib.content)


def test_bytes_that_are_no_longer_the_locked_ones_are_refused(store: MemoryStore, task: RecordingTask) -> None:
    lib = pinned(LIB, store)
    content = store.blobs.pop(lib.content.digest)
    changed = {lib.urls[0]: content[:-1] + b"x"}
    [fetch] = RpmsKind().fetches([lib])
    with pytest.raises(IntegrityError) as caught:
        RpmsKind().fetch(fetch, Sources(MappedDownloader(changed), MemoryRegistry(), store, "/"), task)
    assert caught.value.id == ErrorId.UPSTREAM_CHANGED
    assert "--update 'yum/lib.noarch'" in caught.value.remedy
    assert Blob.of(changed[lib.urls[0]]).digest not in store.blobs
