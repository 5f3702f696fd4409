"""Metadata that createrepo_c wrote, over http that fails, ftp and file: what comes out is what it put in."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import createrepo_c
import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Sources
from bundler.kinds.rpms.metadata import RepoMetadata, load_record, load_repo, open_record
from bundler.model.rpm.repo import RepoSpec
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store
from bundler.store.disk_usage import store_usage
from tests.fakes.faulty_server import Cut, FaultyServer, Reply, ServedFile, faulty_server
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import MemoryRegistry
from tests.integration.file_servers import http_site
from tests.integration.rpm_packages import SpecLike, build_rpms, make_repository
from tests.integration.vsftpd import vsftpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
COMPS = b"<comps><group><id>g</id><name>G</name><packagelist/></group></comps>\n"
MODULES = b"---\ndocument: modulemd-defaults\nversion: 1\ndata: {module: m, stream: s}\n...\n"


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    return build_rpms(tmp_path_factory.mktemp("rpms"), [SpecLike("app", requires=("lib",)), SpecLike("lib", epoch=1)])


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    transport = RequestsTransport(idle_timeout_s=2)
    downloader = FileDownloader(transport, Mirrors(), Retry(3, sleep=lambda _: None))
    yield Sources(downloader, MemoryRegistry(), Store(tmp_path / "store"), str(tmp_path))
    transport.close()


@pytest.fixture
def repository(tmp_path: Path, rpms: tuple[Path, ...]) -> Path:
    (tmp_path / "comps.xml").write_bytes(COMPS)
    (tmp_path / "modules.yaml").write_bytes(MODULES)
    options = ["--groupfile", str(tmp_path / "comps.xml"), "--database"]
    make_repository(tmp_path / "repo", rpms, options=options, extras={"modules": tmp_path / "modules.yaml"})
    return tmp_path / "repo"


def publish(server: FaultyServer, root: str, directory: Path) -> None:
    for path in (directory / "repodata").iterdir():
        server.files[f"{root}/repodata/{path.name}"] = ServedFile(path.read_bytes())


def record_path(metadata: RepoMetadata, kind: str, root: str) -> str:
    return f"{root}/{metadata.index.records[kind].href}"


def everything(url: str, sources: Sources) -> dict[str, bytes]:
    """Return all records of a repository, plain and held to the checksums that createrepo_c wrote of them."""
    metadata = load_repo(RepoSpec("base", baseurls=(url,)), sources, RecordingTask())
    metadata = load_record(metadata, "filelists", sources, RecordingTask())
    found = {}
    for kind in metadata.records:
        file = open_record(metadata, kind, sources.store)
        assert file is not None
        with file:
            found[kind] = file.read()
        record = metadata.index.records[kind]
        if record.open_digest is not None:
            assert hashlib.new(record.open_digest.algorithm, found[kind]).hexdigest() == record.open_digest.hex
    assert [name in found["primary"] for name in (b"<name>app</name>", b"<name>lib</name>")] == [True, True]
    assert b'pkgid="' in found["filelists"]
    return found


@pytest.mark.parametrize("checksum", ["sha256", "sha512"])
@pytest.mark.parametrize("compression", ["gz", "xz", "bz2"])
def test_every_compression_that_createrepo_c_has(
    sources: Sources, tmp_path: Path, rpms: tuple[Path, ...], compression: str, checksum: str
) -> None:
    options = ["--repomd-checksum", checksum]
    made = make_repository(tmp_path / "repo", rpms, compression=compression, options=options)
    everything(made.url, sources)


def test_zstd_as_newer_releases_of_createrepo_c_write_it(
    sources: Sources, tmp_path: Path, rpms: tuple[Path, ...]
) -> None:
    with createrepo_c.RepositoryWriter(str(tmp_path / "repo"), num_packages=len(rpms)) as writer:
        for rpm in rpms:
            writer.add_pkg_from_file(str(rpm))
    assert list((tmp_path / "repo" / "repodata").glob("*-primary.xml.zst"))
    everything((tmp_path / "repo").as_uri(), sources)


def test_groups_and_modules_come_along_over_ftp(sources: Sources, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "ftp").mkdir()
    with vsftpd(repository, tmp_path / "ftp") as url:
        found = everything(url, sources)
    assert (found["group"], found["modules"]) == (COMPS, MODULES)


def test_a_transfer_that_is_cut_goes_on(sources: Sources, repository: Path) -> None:
    with faulty_server() as server:
        publish(server, "/7", repository)
        [primary] = [path for path in server.files if path.endswith("-primary.xml.gz")]
        server.files[primary].faults = [Cut(100), Reply(503)]
        everything(server.url("/7"), sources)
        assert [asked.headers.get("range") for asked in server.requests_for(primary)] == [None, *["bytes=100-"] * 2]


def test_a_second_look_asks_for_the_index_alone(sources: Sources, repository: Path) -> None:
    with faulty_server() as server:
        publish(server, "/7", repository)
        first = everything(server.url("/7"), sources)
        asked = len(server.asked)
        assert everything(server.url("/7"), sources) == first
        assert [later.target for later in server.asked[asked:]] == ["/7/repodata/repomd.xml"]


@pytest.mark.parametrize(
    ("etag", "field"), [('"1"', "if-none-match"), ('W/"1"', "if-none-match"), ("", "if-modified-since")]
)
def test_an_unchanged_index_costs_no_body(sources: Sources, repository: Path, etag: str, field: str) -> None:
    path = "/7/repodata/repomd.xml"
    with faulty_server() as server:
        publish(server, "/7", repository)
        index = server.files[path]
        index.etag = etag
        first = everything(server.url("/7"), sources)
        assert server.bytes_sent(path) == len(index.body)
        assert everything(server.url("/7"), sources) == first
        assert server.bytes_sent(path) == len(index.body)
        assert [field in asked.headers for asked in server.requests_for(path)] == [False, True]
        index.etag, index.last_modified = (etag and '"2"', "Thu, 22 Oct 2015 07:28:00 GMT")
        assert everything(server.url("/7"), sources) == first
        assert server.bytes_sent(path) == 2 * len(index.body)


def test_an_index_without_validators_is_fetched_whole_every_time(sources: Sources, repository: Path) -> None:
    path = "/7/repodata/repomd.xml"
    with faulty_server() as server:
        publish(server, "/7", repository)
        index = server.files[path]
        index.etag = index.last_modified = ""
        first = everything(server.url("/7"), sources)
        assert everything(server.url("/7"), sources) == first
        assert server.bytes_sent(path) == 2 * len(index.body)
        assert not any(name.startswith("if-") for asked in server.requests_for(path) for name in asked.headers)


def test_an_index_whose_record_or_bytes_are_damaged_is_fetched_whole(sources: Sources, repository: Path) -> None:
    assert isinstance(sources.store, Store)
    path = "/7/repodata/repomd.xml"
    with faulty_server() as server:
        publish(server, "/7", repository)
        first = load_repo(RepoSpec("base", baseurls=(server.url("/7"),)), sources, RecordingTask())
        for record in sources.store.index.directory.glob("*/*"):
            record.write_bytes(record.read_bytes()[:20])
        assert load_repo(first.spec, sources, RecordingTask()) == first
        sources.store.path(first.repomd).write_bytes(bytes(first.repomd.size))
        assert load_repo(first.spec, sources, RecordingTask()) == first
        assert ["if-none-match" in asked.headers for asked in server.requests_for(path)] == [False] * 3
        assert load_repo(first.spec, sources, RecordingTask()) == first
        assert server.bytes_sent(path) == 3 * len(server.files[path].body)


def test_another_server_of_a_directory_sees_when_it_changes(
    sources: Sources, repository: Path, rpms: tuple[Path, ...]
) -> None:
    index = repository / "repodata" / "repomd.xml"
    with http_site(repository) as url:
        for date_s in (1_600_000_000, 1_600_000_100):
            os.utime(index, (date_s, date_s))
            first = everything(url, sources)
            assert everything(url, sources) == first
        make_repository(repository, rpms[:1])
        os.utime(index, (1_600_000_200, 1_600_000_200))
        changed = load_repo(RepoSpec("base", baseurls=(url,)), sources, RecordingTask())
    assert sources.store.read(changed.repomd) == index.read_bytes()


@pytest.mark.parametrize("checksum", ["sha256", "sha512"])
def test_records_are_found_again_under_any_checksum(
    sources: Sources, tmp_path: Path, rpms: tuple[Path, ...], checksum: str
) -> None:
    make_repository(tmp_path / "repo", rpms, options=["--repomd-checksum", checksum])
    with faulty_server() as server:
        publish(server, "/7", tmp_path / "repo")
        first = everything(server.url("/7"), sources)
        asked = len(server.asked)
        assert everything(server.url("/7"), sources) == first
        assert [later.target for later in server.asked[asked:]] == ["/7/repodata/repomd.xml"]


def test_a_truncated_record_comes_whole_from_another_mirror(sources: Sources, repository: Path) -> None:
    with faulty_server() as server:
        publish(server, "/a", repository)
        publish(server, "/b", repository)
        [primary] = [path for path in server.files if path.startswith("/a/") and path.endswith("-primary.xml.gz")]
        server.files[primary].body = server.files[primary].body[:-20]
        server.files["/list"] = ServedFile(f"{server.url('/a')}\n{server.url('/b')}\n".encode())
        spec = RepoSpec("base", mirrorlist=server.url("/list"))
        metadata = load_repo(spec, sources, RecordingTask())
        assert metadata.base_url == server.url("/a")
        assert server.requests_for(record_path(metadata, "primary", "/b"))
        del server.files["/b/repodata/repomd.xml"], server.files[record_path(metadata, "primary", "/b")]
        sources.store.drop(metadata.records["primary"])
        with pytest.raises(IntegrityError, match=r"'primary'.*repository base") as raised:
            load_repo(spec, sources, RecordingTask())
    assert raised.value.id == ErrorId.CHECKSUM_MISMATCH


def test_a_repository_that_was_updated_leaves_no_half_records(sources: Sources, repository: Path) -> None:
    assert isinstance(sources.store, Store)
    with faulty_server() as server:
        publish(server, "/7", repository)
        [primary] = [path for path in server.files if path.endswith("-primary.xml.gz")]
        del server.files[primary]
        with pytest.raises(SourceError, match="repository base") as raised:
            everything(server.url("/7"), sources)
    assert raised.value.id == ErrorId.SOURCE_NOT_FOUND
    assert store_usage(sources.store).partial == ()
