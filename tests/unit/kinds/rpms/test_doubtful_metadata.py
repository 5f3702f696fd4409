"""Metadata that are wrong, weak or silent about something: what no package depends on never stops a build."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId
from bundler.kinds.base import Sources
from bundler.kinds.rpms.kind import RpmsKind
from bundler.model.digest import Blob
from bundler.model.rpm.artifact import RepoArtifact, RpmArtifact
from bundler.rpm.metadata.repodata import RepoExtras
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry
from tests.fakes.small_rpms import repository
from tests.unit.kinds.rpms.test_faults import BASE, ENTRY, PACKAGES, REPOMD, SPEC, asking_for, with_primary

if TYPE_CHECKING:
    from bundler.kinds.rpms.entry import RpmEntry
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore

Files = dict[str, bytes]
Locked = tuple[RpmArtifact | RepoArtifact, ...]
UPDATES = b"<updates><update><id>A</id><description>%b</description></update></updates>"
COMPS = b"<comps><group><id>g</id><packagelist><packagereq>app</packagereq></packagelist></group></comps>"
GOOD = RepoExtras(comps=COMPS, updateinfo=UPDATES % b"fine")


def locked(entry: RpmEntry, files: Files, store: MemoryStore, task: RecordingTask) -> Locked:
    given = Sources(MappedDownloader(files), MemoryRegistry(), store, "/manifests")
    return RpmsKind().lock(entry, given, task)


def refused(entry: RpmEntry, files: Files, store: MemoryStore, task: RecordingTask) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        locked(entry, files, store, task)
    return caught.value


def names(found: Locked) -> list[str]:
    return [artifact.nevra.name for artifact in found if isinstance(artifact, RpmArtifact)]


def beside(found: Locked) -> RepoArtifact:
    (repository_artifact,) = (artifact for artifact in found if isinstance(artifact, RepoArtifact))
    return repository_artifact


@pytest.mark.parametrize(
    "updateinfo",
    [UPDATES % b"\x1b[A", UPDATES % b"caf\xe9", UPDATES[:30], b"<html/>"],
    ids=["control-character", "latin-1", "cut", "page"],
)
def test_advisories_that_cannot_be_read_are_left_out_with_a_note(
    store: MemoryStore, task: RecordingTask, updateinfo: bytes
) -> None:
    found = locked(ENTRY, repository(BASE, PACKAGES, RepoExtras(comps=COMPS, updateinfo=updateinfo)), store, task)
    assert names(found) == ["app", "lib"]
    assert (beside(found).updateinfo, "<id>g</id>" in beside(found).comps) == ("", True)
    assert [note for note in task.notes if "left out" in note and "updateinfo of repository base" in note]


def test_good_advisories_of_another_repository_stay(store: MemoryStore, task: RecordingTask) -> None:
    about = b'<updates><update><id>A</id><pkglist><collection><package name="app" epoch="0" version="1.0" release="1"'
    about += b' arch="noarch"/></collection></pkglist></update></updates>'
    files = repository(BASE, PACKAGES, RepoExtras(updateinfo=about[:-12]))
    other = replace(SPEC, id="other", baseurls=("https://y.example",))
    files |= repository("https://y.example", PACKAGES, RepoExtras(updateinfo=about))
    entry = replace(ENTRY, repos=(replace(SPEC, priority=10), replace(other, priority=10)), packages=ENTRY.packages)
    found = locked(replace(entry, repos=(other, SPEC)), files, store, task)
    assert "<id>A</id>" in beside(found).updateinfo


def test_broken_groups_are_left_out_where_none_is_wanted(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, PACKAGES, RepoExtras(comps=COMPS[:20], updateinfo=UPDATES % b""))
    found = locked(ENTRY, files, store, task)
    assert (names(found), beside(found).comps) == (["app", "lib"], "")
    assert [note for note in task.notes if "left out" in note and "group of repository base" in note]
    error = refused(asking_for("@g"), files, store, task)
    assert (error.id, "repository base" in error.text()) == (ErrorId.REPO_METADATA_INVALID, True)


def record_of(files: Files, kind: str) -> str:
    (url,) = (url for url in files if url.endswith(f"-{kind}.xml.gz"))
    return url


@pytest.mark.parametrize("kind", ["updateinfo", "comps"])
@pytest.mark.parametrize("fault", ["missing", "other bytes", "no size", "no place", "no gzip"])
def test_records_that_choose_no_package_may_be_wrong_in_any_way(
    store: MemoryStore, task: RecordingTask, kind: str, fault: str
) -> None:
    files = repository(BASE, PACKAGES, GOOD)
    url = record_of(files, kind)
    name = "group_gz" if kind == "comps" else kind
    block = re.search(rb'<data type="%b">.*?</data>' % name.encode(), files[REPOMD], re.DOTALL)
    assert block is not None
    if fault == "missing":
        del files[url]
    elif fault == "other bytes":
        files[url] = bytes(len(files[url]))
    elif fault == "no gzip":
        data = b"\x1f\x8b" + bytes(50)
        text = re.sub(rb"<size>\d+<", b"<size>52<", block[0])
        sum_of = hashlib.sha256(files[url]).hexdigest().encode()
        text = text.replace(b">" + sum_of, b">" + hashlib.sha256(data).hexdigest().encode())
        files |= {url: data, REPOMD: files[REPOMD].replace(block[0], text)}
    else:
        pattern, new = (rb"<size>\d+<", b"<size>many<") if fault == "no size" else (rb'href="[^"]+"', b'href=""')
        files[REPOMD] = files[REPOMD].replace(block[0], re.sub(pattern, new, block[0]))
    found = locked(ENTRY, files, store, task)
    assert names(found) == ["app", "lib"]
    assert [note for note in task.notes if "left out" in note]


def weakened(files: Files, *, packages: bool) -> Files:
    """Return a repository whose index, and with `packages` whose primary metadata, know everything by SHA-1."""
    given = dict(files)
    if packages:
        plain = gzip.decompress(given[record_of(given, "primary")]).decode()
        for data in files.values():
            old = f'type="sha256" pkgid="YES">{hashlib.sha256(data).hexdigest()}'
            plain = plain.replace(old, f'type="sha" pkgid="YES">{hashlib.sha1(data).hexdigest()}')  # noqa: S324 - the test's point
        with_primary(given, gzip.compress(plain.encode(), mtime=0))
    for url, data in given.items():
        if url.endswith(".xml.gz"):
            old = f'<checksum type="sha256">{hashlib.sha256(data).hexdigest()}'
            new = f'<checksum type="sha">{hashlib.sha1(data).hexdigest()}'  # noqa: S324 - the test's point
            given[REPOMD] = given[REPOMD].replace(old.encode(), new.encode())
    return given


@pytest.mark.parametrize("packages", [True, False])
def test_sha1_is_enough_where_signatures_vouch_for_the_packages(
    store: MemoryStore, task: RecordingTask, packages: bool
) -> None:
    files = weakened(repository(BASE, PACKAGES), packages=packages)
    found = locked(ENTRY, files, store, task)
    assert names(found) == ["app", "lib"]
    assert [note for note in task.notes if "base knows its files by sha1" in note and "signatures vouch" in note]
    pinned = [artifact for artifact in found if isinstance(artifact, RpmArtifact)]
    # what can be forged does not get into a lock
    assert {rpm.checksum.algorithm for rpm in pinned} == {"sha256"}
    given = Sources(MappedDownloader(files), MemoryRegistry(), store, "/manifests")
    assert locked(ENTRY, files, store, task) == found
    RpmsKind().estimate(ENTRY, given, task)


SHA256_OF_APP = hashlib.sha256(PACKAGES[0].content()).hexdigest().encode()


def test_sha1_is_not_enough_where_nothing_else_vouches(store: MemoryStore, task: RecordingTask) -> None:
    entry = replace(ENTRY, repos=(replace(SPEC, gpgcheck=False),))
    for packages, said in ((True, "sha1"), (False, "gpgcheck: false")):
        error = refused(entry, weakened(repository(BASE, PACKAGES), packages=packages), store, task)
        assert error.id == ErrorId.REPO_METADATA_INVALID
        assert said in error.text()
    given = repository(BASE, PACKAGES)
    plain = gzip.decompress(given[record_of(given, "primary")])
    strong, weak = b'"sha256" pkgid="YES">' + SHA256_OF_APP, b'"sha" pkgid="YES">' + b"a" * 40
    with_primary(given, gzip.compress(plain.replace(strong, weak)))
    error = refused(entry, given, store, task)
    assert (error.id, "app-1.0-1.noarch by its sha1" in error.text()) == (ErrorId.REPO_METADATA_INVALID, True)


def sized(size: bytes) -> Files:
    files = repository(BASE, PACKAGES)
    plain = gzip.decompress(files[record_of(files, "primary")])
    with_primary(files, gzip.compress(re.sub(rb'size package="\d+"', size, plain), mtime=0))
    return files


@pytest.mark.parametrize("size", [b'size package="0"', b"size"])
def test_a_size_of_nothing_means_that_nobody_knows_it(store: MemoryStore, task: RecordingTask, size: bytes) -> None:
    files = sized(size)
    given = Sources(MappedDownloader(files), MemoryRegistry(), store, "/manifests")
    estimate = RpmsKind().estimate(ENTRY, given, task)
    assert (estimate.fetches, estimate.unknown) == ((), ("yum/app-1.0-1.noarch", "yum/lib-1.0-1.noarch"))
    found = locked(ENTRY, files, store, task)
    contents = [artifact.content for artifact in found if isinstance(artifact, RpmArtifact)]
    assert contents == [Blob.of(rpm.content()) for rpm in PACKAGES]
    # the checksum still decides
    files[f"{BASE}/{PACKAGES[1].file_name}"] += b"more"
    store.blobs.clear()
    assert refused(ENTRY, files, store, task).id == ErrorId.CHECKSUM_MISMATCH


@pytest.mark.parametrize("size", [b"-5", b"9223372036854775808", b"99999999999999999999999"])
def test_a_size_that_is_no_count_of_bytes_is_the_metadatas_fault(
    store: MemoryStore, task: RecordingTask, size: bytes
) -> None:
    error = refused(ENTRY, sized(b'size package="%b"' % size), store, task)
    assert (error.id, error.exit_code) == (ErrorId.REPO_METADATA_INVALID, 4)
    assert "no count of bytes" in error.text()
