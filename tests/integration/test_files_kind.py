"""Files from a real HTTP server into a real store: pinned, interrupted, resumed, fetched again from the lock."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Sources
from bundler.kinds.files.entry import FileEntry
from bundler.kinds.files.kind import FilesKind
from bundler.manifest.reader import read_manifest
from bundler.model.digest import Blob
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store
from tests.fakes.faulty_server import LAST_MODIFIED_S, Cut, FaultyServer, Reply, ServedFile, faulty_server
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import MemoryRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.model.file_artifact import FileArtifact

KIND = FilesKind()
BODY = random.Random(1).randbytes(500_000)
NEW = random.Random(2).randbytes(500_000)
KEADM = random.Random(3).randbytes(300_000)
RELEASE = "/kubeedge/releases/download/v1.11.1"


def tar_gz(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


@dataclass
class Site:
    """An upstream, a store and the manifest's directory."""

    server: FaultyServer
    store: Store
    directory: Path
    task: RecordingTask
    transport: RequestsTransport

    def sources(self, *mirrors: str, attempts: int = 3) -> Sources:
        retry = Retry(attempts, sleep=lambda _: None, jitter=lambda: 0.0)
        downloader = FileDownloader(self.transport, Mirrors.parse(mirrors), retry)
        return Sources(downloader, MemoryRegistry(), self.store, str(self.directory))

    def entries(self, *items: str) -> list[FileEntry]:
        listed = "".join(f"  - {item}\n" for item in items)
        variables = f'vars: {{v: "1.11.1", up: "{self.server.url("")}", r: "{self.server.url(RELEASE)}"}}\n'
        text = f"version: 1\nname: t\nplatforms: [linux/amd64, linux/arm64]\n{variables}files:\n{listed}"
        read = read_manifest(text.encode(), file="m.yaml", kinds=[KIND]).entries["files"]
        return [entry for entry in read if isinstance(entry, FileEntry)]

    def lock(self, *items: str, sources: Sources | None = None) -> list[FileArtifact]:
        given = sources or self.sources()
        return [artifact for entry in self.entries(*items) for artifact in KIND.lock(entry, given, self.task)]

    def fetch(self, artifacts: list[FileArtifact]) -> None:
        for fetch in KIND.fetches(artifacts):
            KIND.fetch(fetch, self.sources(), self.task)

    @property
    def partials(self) -> list[str]:
        return [path.name for path in self.store.partial_directory.iterdir()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "manifests").mkdir()
    transport = RequestsTransport(idle_timeout_s=5.0)
    with faulty_server() as server:
        yield Site(server, Store(tmp_path / "store"), tmp_path / "manifests", RecordingTask(), transport)
    transport.close()


def serve_release(site: Site) -> None:
    """Publish what KubeEdge publishes: archives, and beside each a file with its SHA-512 alone."""
    for arch in ("amd64", "arm64"):
        archives = {
            f"keadm-v1.11.1-linux-{arch}.tar.gz": tar_gz({f"keadm-v1.11.1-linux-{arch}/keadm/keadm": KEADM}),
            f"kubeedge-v1.11.1-linux-{arch}.tar.gz": tar_gz({f"kubeedge-v1.11.1-linux-{arch}/edge/edgecore": BODY}),
        }
        for name, data in archives.items():
            site.server.files[f"{RELEASE}/{name}"] = ServedFile(data)
            checksum = f"{hashlib.sha512(data).hexdigest()}\n".encode()
            site.server.files[f"{RELEASE}/checksum_{name}.txt"] = ServedFile(checksum)


KEADM_ENTRY = (
    "{path: 'k/keadm-${arch}', url: '${r}/keadm-v${v}-linux-${arch}.tar.gz', "
    "checksum_url: '${r}/checksum_keadm-v${v}-linux-${arch}.tar.gz.txt', "
    "member: 'keadm-v${v}-linux-${arch}/keadm/keadm'}"
)
KUBEEDGE_ENTRY = (
    "{path: 'k/kubeedge-v${v}-linux-${arch}.tar.gz', url: '${r}/kubeedge-v${v}-linux-${arch}.tar.gz', "
    "checksum_url: '${r}/checksum_kubeedge-v${v}-linux-${arch}.tar.gz.txt', "
    "checksum_path: 'k/checksum_kubeedge-v${v}-linux-${arch}.tar.gz.txt'}"
)


def test_a_kubeedge_release_is_pinned_and_nothing_is_downloaded_twice(site: Site) -> None:
    serve_release(site)

    artifacts = site.lock(KEADM_ENTRY, KUBEEDGE_ENTRY)
    asked = len(site.server.asked)
    site.fetch(artifacts)

    placed = {artifact.key: artifact for artifact in artifacts}
    assert sorted(placed) == [
        "k/checksum_kubeedge-v1.11.1-linux-amd64.tar.gz.txt",
        "k/checksum_kubeedge-v1.11.1-linux-arm64.tar.gz.txt",
        "k/keadm-amd64",
        "k/keadm-arm64",
        "k/kubeedge-v1.11.1-linux-amd64.tar.gz",
        "k/kubeedge-v1.11.1-linux-arm64.tar.gz",
    ]
    archive = placed["k/kubeedge-v1.11.1-linux-arm64.tar.gz"]
    checksum = site.store.read(placed["k/checksum_kubeedge-v1.11.1-linux-arm64.tar.gz.txt"].content)
    # what keadm does: the whole file, its newline dropped, against the archive's SHA-512
    assert checksum.decode().strip("\n") == hashlib.sha512(site.store.read(archive.content)).hexdigest()
    assert archive.held_to.by == "published-checksum"
    assert archive.date == LAST_MODIFIED_S
    assert (placed["k/keadm-amd64"].content, placed["k/keadm-amd64"].mode) == (Blob.of(KEADM), 0o755)
    assert all(site.store.has(artifact.content) for artifact in artifacts)
    assert len(site.server.asked) == asked
    assert site.partials == []


def test_a_lost_store_is_filled_again_from_the_lock(site: Site) -> None:
    serve_release(site)
    artifacts = site.lock(KEADM_ENTRY, KUBEEDGE_ENTRY)
    for artifact in artifacts:
        site.store.drop(artifact.content)

    site.fetch(artifacts)

    assert all(Blob.of(site.store.read(artifact.content)) == artifact.content for artifact in artifacts)
    assert site.partials == []


def test_an_interrupted_lock_goes_on_where_it_stopped(site: Site) -> None:
    site.server.files["/x"] = ServedFile(BODY, faults=[Cut(200_000)])
    with pytest.raises(SourceError):
        site.lock("{path: x, url: '${up}/x'}", sources=site.sources(attempts=1))

    [artifact] = site.lock("{path: x, url: '${up}/x'}")

    assert artifact.content == Blob.of(BODY)
    assert site.server.requests_for("/x")[1].headers["range"] == "bytes=200000-"
    assert site.server.bytes_sent("/x") == len(BODY)


def test_bytes_of_two_versions_are_never_joined(site: Site) -> None:
    item = f"{{path: x, url: '${{up}}/x', sha256: '{hashlib.sha256(NEW).hexdigest()}'}}"
    site.server.files["/x"] = ServedFile(BODY, faults=[Cut(200_000)])
    with pytest.raises(SourceError):
        site.lock(item, sources=site.sources(attempts=1))
    # the upstream forgets to give the new version another tag, so that the range is answered
    site.server.files["/x"] = ServedFile(NEW)

    [artifact] = site.lock(item)

    assert site.store.read(artifact.content) == NEW
    assert [asked.headers.get("range") for asked in site.server.requests_for("/x")] == [None, "bytes=200000-", None]
    assert any("fetched whole again" in note for note in site.task.notes)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(None, id="missing"),
        pytest.param(ServedFile(NEW), id="other bytes"),
        pytest.param(ServedFile(BODY, faults=[Cut(100)] * 9), id="always cut"),
        pytest.param(ServedFile(b"", faults=[Reply(200, {}, b"<html>captive portal")] * 9), id="a page instead"),
    ],
)
def test_a_fallback_url_serves_when_the_first_does_not(site: Site, first: ServedFile | None) -> None:
    if first:
        site.server.files["/one"] = first
    site.server.files["/two"] = ServedFile(BODY)
    item = f"{{path: x, urls: ['${{up}}/one', '${{up}}/two'], sha256: '{hashlib.sha256(BODY).hexdigest()}'}}"

    [artifact] = site.lock(item)
    site.store.drop(artifact.content)
    site.fetch([artifact])

    assert site.store.read(artifact.content) == BODY
    assert len(site.server.requests_for("/two")) == 2
    assert any("/one" in note and "trying the next url" in note for note in site.task.notes)


def test_wrong_bytes_everywhere_are_refused_and_not_kept(site: Site) -> None:
    site.server.files["/x"] = ServedFile(NEW)

    with pytest.raises(IntegrityError) as caught:
        site.lock(f"{{path: x, url: '${{up}}/x', sha512: '{hashlib.sha512(BODY).hexdigest()}'}}")

    assert (caught.value.id, caught.value.exit_code) == (ErrorId.CHECKSUM_MISMATCH, 5)
    assert site.partials == []
    assert not site.store.has(Blob.of(NEW))


@pytest.mark.parametrize("changed", [NEW, NEW[:-1]], ids=["same size", "other size"])
def test_a_changed_upstream_is_refused_when_the_lock_is_followed(site: Site, changed: bytes) -> None:
    site.server.files["/x"] = ServedFile(BODY)
    artifacts = site.lock("{path: x, url: '${up}/x'}")
    site.store.drop(artifacts[0].content)
    site.server.files["/x"] = ServedFile(changed, etag='"2"')

    with pytest.raises(IntegrityError) as caught:
        site.fetch(artifacts)

    assert caught.value.id == ErrorId.UPSTREAM_CHANGED
    assert "bundler lock --update 'x'" in caught.value.remedy


def test_the_lock_tells_of_the_mirror_and_keeps_the_canonical_url(site: Site) -> None:
    site.server.files["/mirror/x"] = ServedFile(BODY)
    mirror = site.server.url("/mirror/")

    [artifact] = site.lock(
        "{path: x, url: 'https://h.invalid/x'}", sources=site.sources(f"https://h.invalid/={mirror}")
    )

    assert artifact.urls == ("https://h.invalid/x",)
    assert (artifact.held_to.by, artifact.held_to.via) == ("first-use", mirror)


def test_relative_urls_are_files_beside_the_manifest(site: Site) -> None:
    (site.directory / "notes 1.txt").write_bytes(b"note")
    (site.directory.parent / "sums").write_text(f"{hashlib.sha256(b'note').hexdigest()}  notes 1.txt\n")

    [artifact] = site.lock("{path: notes.txt, url: notes 1.txt, checksum_url: ../sums}")

    assert site.store.read(artifact.content) == b"note"
    assert (artifact.urls, artifact.held_to.detail) == (("notes 1.txt",), "../sums")
    assert site.server.asked == []


def test_sizes_are_known_before_anything_is_moved(site: Site) -> None:
    site.server.files["/x"] = ServedFile(BODY)
    [entry] = site.entries("{path: x, url: '${up}/x'}")

    estimate = KIND.estimate(entry, site.sources(), site.task)

    assert [fetch.transfer_bytes for fetch in estimate.fetches] == [len(BODY)]
    assert [asked.method for asked in site.server.asked] == ["HEAD"]
