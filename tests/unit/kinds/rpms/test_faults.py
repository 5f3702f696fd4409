"""Whatever is wrong with an upstream repository: the error names it and the manifest's line; nothing is kept."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, ManifestError
from bundler.kinds.base import Sources
from bundler.kinds.rpms.entry import RpmEntry
from bundler.kinds.rpms.kind import RpmsKind
from bundler.model.bundle_path import BundlePath
from bundler.model.rpm.repo import RepoSpec
from bundler.model.source_text import Position
from bundler.rpm.solve.request import PackageSpec
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry
from tests.fakes.small_rpms import SmallRpm, repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore

BASE = "https://x.example/7"
REPOMD = f"{BASE}/repodata/repomd.xml"
SPEC = RepoSpec("base", baseurls=(f"{BASE}/",), gpgkeys=(f"{BASE}/key.asc",))
ENTRY = RpmEntry(
    id="yum",
    position=Position("m.yaml", 7, 5),
    path=BundlePath("yum"),
    release="7",
    arch="x86_64",
    repos=(SPEC,),
    packages=(PackageSpec("app", Position("m.yaml", 9, 17)),),
)
PACKAGES = (SmallRpm("app", requires=("lib",)), SmallRpm("lib"))
Files = dict[str, bytes]


def primary(files: Files) -> str:
    (url,) = (url for url in files if "primary.xml" in url)
    return url


def with_primary(files: Files, data: bytes) -> None:
    """Give the repository another primary whose checksums are right."""
    url = primary(files)
    old = hashlib.sha256(files[url]).hexdigest().encode()
    block = re.search(rb'<data type="primary">.*?</data>', files[REPOMD], re.DOTALL)
    assert block is not None
    new = block[0].replace(old, hashlib.sha256(data).hexdigest().encode())
    new = re.sub(rb"<size>\d+</size>", b"<size>%d</size>" % len(data), new)
    # the place is named after the first checksum, and stays
    new = re.sub(rb'href="[^"]*"', f'href="{url.removeprefix(BASE + "/")}"'.encode(), new)
    files[REPOMD] = files[REPOMD].replace(block[0], new)
    files[url] = data


def dead(files: Files) -> None:
    files.clear()


def no_index(files: Files) -> None:
    del files[REPOMD]


def index_is_a_page(files: Files) -> None:
    files[REPOMD] = b"<html><body>Log in</body></html>"


def wrong_checksum(files: Files) -> None:
    files[REPOMD] = files[REPOMD].replace(hashlib.sha256(files[primary(files)]).hexdigest().encode(), b"0" * 64, 1)


def other_bytes(files: Files) -> None:
    files[primary(files)] = bytes(len(files[primary(files)]))


def no_primary(files: Files) -> None:
    del files[primary(files)]


def truncated(files: Files) -> None:
    with_primary(files, files[primary(files)][:-9])


def wrongly_compressed(files: Files) -> None:
    with_primary(files, b"BZh9" + files[primary(files)][4:])


def zchunk(files: Files) -> None:
    with_primary(files, b"\0ZCK1" + files[primary(files)][5:])


def not_xml(files: Files) -> None:
    with_primary(files, gzip.compress(b"\x7fELF" * 100))


def half_xml(files: Files) -> None:
    with_primary(files, gzip.compress(gzip.decompress(files[primary(files)])[:-200]))


def unreadable_key(files: Files) -> None:
    files[f"{BASE}/key.asc"] = files[f"{BASE}/key.asc"][:80]


def no_key(files: Files) -> None:
    del files[f"{BASE}/key.asc"]


def missing_package(files: Files) -> None:
    del files[f"{BASE}/{PACKAGES[1].file_name}"]


def tampered_package(files: Files) -> None:
    url = f"{BASE}/{PACKAGES[1].file_name}"
    files[url] = files[url][:-1] + bytes([files[url][-1] ^ 1])


@pytest.mark.parametrize(
    ("fault", "error_id"),
    [
        (dead, ErrorId.SOURCE_NOT_FOUND),
        (no_index, ErrorId.SOURCE_NOT_FOUND),
        (index_is_a_page, ErrorId.REPO_METADATA_INVALID),
        (wrong_checksum, ErrorId.CHECKSUM_MISMATCH),
        (other_bytes, ErrorId.CHECKSUM_MISMATCH),
        (no_primary, ErrorId.SOURCE_NOT_FOUND),
        (truncated, ErrorId.REPO_METADATA_INVALID),
        (wrongly_compressed, ErrorId.REPO_METADATA_INVALID),
        (zchunk, ErrorId.REPO_METADATA_INVALID),
        (not_xml, ErrorId.REPO_METADATA_INVALID),
        (half_xml, ErrorId.REPO_METADATA_INVALID),
        (unreadable_key, ErrorId.RPM_KEY_UNREADABLE),
        (no_key, ErrorId.SOURCE_NOT_FOUND),
        (missing_package, ErrorId.SOURCE_NOT_FOUND),
        (tampered_package, ErrorId.CHECKSUM_MISMATCH),
    ],
)
def test_a_fault_of_the_upstream_names_repository_and_line(
    store: MemoryStore, task: RecordingTask, fault: Callable[[Files], None], error_id: ErrorId
) -> None:
    files = repository(BASE, PACKAGES)
    fault(files)
    error = refused(ENTRY, files, store, task)
    assert error.id == error_id
    assert "m.yaml:7:5" in error.text()
    assert "repository base" in error.text()
    assert str(error).count("want sha256") <= 1


def refused(entry: RpmEntry, files: Files, store: MemoryStore, task: RecordingTask) -> BundlerError:
    given = Sources(MappedDownloader(files), MemoryRegistry(), store, "/manifests")
    with pytest.raises(BundlerError) as caught:
        RpmsKind().lock(entry, given, task)
    return caught.value


def asking_for(*texts: str) -> RpmEntry:
    specs = tuple(PackageSpec(text, Position("m.yaml", 9 + number, 7)) for number, text in enumerate(texts))
    return replace(ENTRY, packages=specs)


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        (("app", "nothing"), ["m.yaml:10:7", "nothing"]),
        (("app = 1.0", "app = 2.0"), ["m.yaml:9:7", "m.yaml:10:7", "app"]),
        (("needy",), ["m.yaml:9:7", "nothing provides absent", "needy-1.0-1"]),
        (("@nobody",), ["m.yaml:9:7", "nobody"]),
        (("/no/such/file",), ["m.yaml:9:7", "/no/such/file"]),
    ],
)
def test_specs_that_cannot_be_met_name_their_lines_and_move_no_package(
    store: MemoryStore, task: RecordingTask, specs: tuple[str, ...], said: list[str]
) -> None:
    packages = (*PACKAGES, SmallRpm("app", version="2.0"), SmallRpm("needy", requires=("absent",)))
    files = repository(BASE, packages)
    error = refused(asking_for(*specs), files, store, task)
    assert isinstance(error, ManifestError)
    assert [text for text in said if text not in error.text()] == []
    assert not any(files[url] in store.blobs.values() for url in files if url.endswith(".rpm"))


def test_a_module_stream_that_is_missing_names_the_repository(store: MemoryStore, task: RecordingTask) -> None:
    entry = replace(ENTRY, repos=(replace(SPEC, modules=("perl:5.26",)),))
    error = refused(entry, repository(BASE, PACKAGES), store, task)
    assert isinstance(error, ManifestError)
    assert "there is no module perl" in error.text()
    assert "m.yaml:7:5" in error.text()
