"""RPMs from real repositories into a real store, laid out, and installed from there by dnf."""

from __future__ import annotations

import base64
import dataclasses
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.kinds.base import Sources
from bundler.kinds.rpms.entry import RpmEntry
from bundler.kinds.rpms.kind import RpmsKind
from bundler.manifest.reader import read_manifest
from bundler.model.digest import Blob
from bundler.model.lock import LockedEntry
from bundler.model.manifest import entry_fingerprint
from bundler.model.rpm.artifact import RepoArtifact, RpmArtifact
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store
from tests.fakes.faulty_server import ServedFile, faulty_server
from tests.fakes.progress import RecordingTask
from tests.fakes.registry import MemoryRegistry
from tests.integration.dnf_client import DnfClient
from tests.integration.file_servers import ftp_site, http_site
from tests.integration.rpm_packages import SpecLike, build_rpms, el7_shape, make_repository, sign, signing_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.integration.rpm_packages import SigningHome, SigningKey

KIND = RpmsKind()
BIG = random.Random(1).randbytes(400_000)
APP = SpecLike("app", requires=("lib",), files={"/opt/app/big": BIG})
LIB = SpecLike("lib", version="1.5", release="2.module", epoch=1)
CLOSURE = {"app-1.0-1.noarch", "lib-1:1.5-2.module.noarch"}
MODULES = """\
---
document: modulemd
version: 2
data:
  name: lib
  stream: "{stream}"
  version: 1
  context: c0ffee
  arch: x86_64
  summary: A library
  description: A library
  license:
    module: [MIT]
  artifacts:
    rpms:
    - {artifact}
...
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """Signed packages, a store, and a place for repositories."""

    directory: Path
    store: Store
    home: SigningHome
    key: SigningKey
    sources: Sources
    task: RecordingTask

    def repository(self, *specs: SpecLike, name: str = "repo", **options: object) -> Path:
        """Build and sign packages and put them into a repository with its key; returns its directory."""
        rpms = build_rpms(self.directory / f"{name}-rpms", specs)
        sign(rpms, self.key)
        return make_repository(self.directory / name, rpms, key=self.key, **options).directory  # type: ignore[arg-type] # passed on as they are

    def entry(self, repo: str, *, packages: str = "[app]", more: str = "") -> RpmEntry:
        """Return the entry of a manifest here whose one repository is this mapping, without its braces."""
        item = f"{{arch: x86_64, repos: [{{id: test, {repo}}}], packages: {packages}{more}}}"
        text = f"version: 1\nname: t\nrpms:\n  - {item}\n".encode()
        [entry] = read_manifest(text, file=str(self.directory / "m.yaml"), kinds=[KIND]).entries["rpms"]
        assert isinstance(entry, RpmEntry)
        return entry

    def lock(self, repo: str, **options: str) -> tuple[RpmArtifact | RepoArtifact, ...]:
        """Pin such an entry."""
        return KIND.lock(self.entry(repo, **options), self.sources, self.task)

    def tree(self, artifacts: tuple[RpmArtifact | RepoArtifact, ...], repo: str) -> Path:
        """Lay out what was pinned, as an unpacked bundle; returns its root."""
        entry = self.entry(repo)
        locked = LockedEntry("rpms", entry.id, entry_fingerprint(entry), artifacts)
        root = self.directory / "tree"
        for placement in KIND.place([locked], [entry.platform], self.sources):
            path = root / placement.path
            path.parent.mkdir(parents=True, exist_ok=True)
            content = placement.content
            assert isinstance(content, Blob | bytes)
            path.write_bytes(content if isinstance(content, bytes) else self._bytes(content))
        return root

    def _bytes(self, blob: Blob) -> bytes:
        return self.store.read(blob)

    def client(self, root: Path, **settings: str) -> DnfClient:
        """Return a target that installs from such a tree, signatures checked."""
        url = f"file://{root}/yum"
        key = root / "yum" / "RPM-GPG-KEY-test"
        return DnfClient(self.directory / "target", {"local": url}, key, settings=tuple(settings.items()))


@pytest.fixture(scope="module")
def signing() -> Iterator[tuple[SigningHome, SigningKey]]:
    """One key for all tests."""
    with signing_home() as home:
        yield home, home.make_key("Test <test@example.org>")


@pytest.fixture
def bench(signing: tuple[SigningHome, SigningKey], tmp_path: Path) -> Iterator[Bench]:
    """A store and an upstream of this test alone."""
    transport = RequestsTransport()
    downloader = FileDownloader(transport, Mirrors.parse(()), Retry(3, sleep=lambda _: None, jitter=lambda: 0.0))
    store = Store(tmp_path / "store")
    sources = Sources(downloader, MemoryRegistry(), store, str(tmp_path))
    yield Bench(tmp_path, store, *signing, sources, RecordingTask())
    transport.close()


def rpms(artifacts: tuple[RpmArtifact | RepoArtifact, ...]) -> list[RpmArtifact]:
    """Return the packages among artifacts."""
    return [artifact for artifact in artifacts if isinstance(artifact, RpmArtifact)]


@pytest.mark.parametrize("site", [http_site, ftp_site], ids=["http", "ftp"])
def test_repositories_come_over_any_protocol(bench: Bench, site: Callable[[Path], AbstractContextManager[str]]) -> None:
    directory = bench.repository(APP, LIB)
    with site(directory) as url:
        repo = f"baseurl: '{url}', gpgkey: '{url}/RPM-GPG-KEY-test'"
        artifacts = bench.lock(repo)
    assert {str(rpm.nevra) for rpm in rpms(artifacts)} == CLOSURE
    assert {rpm.held_to.by for rpm in rpms(artifacts)} == {"signature"}
    assert all(rpm.urls[0].startswith(url) for rpm in rpms(artifacts))
    assert bench.client(bench.tree(artifacts, repo)).install("app") == CLOSURE


def test_a_repository_behind_a_password_is_opened_by_netrc(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = bench.repository(APP, LIB)
    netrc = bench.directory / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    netrc.chmod(0o600)
    login = "Basic " + base64.b64encode(b"me:s3cret").decode()
    with faulty_server() as server:
        for file in (path for path in directory.rglob("*") if path.is_file()):
            server.files[f"/{file.relative_to(directory)}"] = ServedFile(file.read_bytes(), password=login)
        repo = f"baseurl: '{server.url('/')}', gpgkey: '{server.url('/RPM-GPG-KEY-test')}'"
        monkeypatch.setenv("NETRC", str(bench.directory / "absent"))
        with pytest.raises(SourceError) as raised:
            bench.lock(repo)
        assert raised.value.id is ErrorId.SOURCE_UNAUTHORIZED
        assert "netrc" in raised.value.remedy
        monkeypatch.setenv("NETRC", str(netrc))
        server.asked.clear()
        artifacts = bench.lock(repo)
        asked = {request.target: request.headers.get("authorization") for request in server.asked}
    assert {str(rpm.nevra) for rpm in rpms(artifacts)} == CLOSURE
    assert {path.rpartition(".")[2] for path in asked} >= {"xml", "rpm"}
    assert "/RPM-GPG-KEY-test" in asked
    assert set(asked.values()) == {login}
    assert "s3cret" not in str([artifact.encode() for artifact in artifacts])


@pytest.mark.parametrize("compression", ["gz", "xz", "bz2"])
def test_metadata_of_any_compression_and_sha512(bench: Bench, compression: str) -> None:
    bench.repository(APP, LIB, compression=compression, options=["--checksum", "sha512"])
    artifacts = bench.lock("baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test")
    assert {rpm.checksum.algorithm for rpm in rpms(artifacts)} == {"sha512"}
    assert {rpm.content.digest.algorithm for rpm in rpms(artifacts)} == {"sha256"}
    # whatever the upstream has, EL7's yum has to read what is written here
    root = bench.tree(artifacts, "baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test")
    repomd = (root / "yum" / "repodata" / "repomd.xml").read_text()
    assert 'type="sha256"' in repomd
    assert "sha512" not in repomd
    suffixes = {path.suffix for path in (root / "yum" / "repodata").iterdir()}
    assert suffixes == {".xml", ".gz"}


def test_packages_of_el7_are_authenticated_and_carried(bench: Bench) -> None:
    paths = build_rpms(bench.directory / "rpms", [dataclasses.replace(LIB, compression="w6.xzdio")])
    sign(paths, bench.key)
    el7_shape(paths[0], bench.key)
    make_repository(bench.directory / "repo", paths, key=bench.key)
    [_, lib] = bench.lock("baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test", packages="[lib]")
    assert isinstance(lib, RpmArtifact)
    assert (lib.held_to.by, lib.held_to.detail) == ("signature", bench.key.key_id)


def test_a_module_stream_installs_without_being_enabled(bench: Bench) -> None:
    modules = bench.directory / "modules.yaml"
    ours = MODULES.format(stream="1.5", artifact="lib-1:1.5-2.module.noarch")
    other = MODULES.format(stream="2.0", artifact="lib-1:2.0-1.module.noarch")
    modules.write_text(ours + other)
    newer = dataclasses.replace(LIB, version="2.0", release="1.module")
    bench.repository(APP, LIB, newer, extras={"modules": modules})
    repo = "baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test, modules: ['lib:1.5']"
    artifacts = bench.lock(repo)
    assert {str(rpm.nevra) for rpm in rpms(artifacts)} == CLOSURE
    client = bench.client(bench.tree(artifacts, repo))
    assert client.install("app") == CLOSURE
    listed = [line.split()[:2] for line in client.run("--quiet", "module", "list", "lib").splitlines()]
    assert [words for words in listed if words[:1] == ["lib"]] == [["lib", "1.5"]]


def test_advisories_of_the_bundle_reach_the_client(bench: Bench) -> None:
    updateinfo = bench.directory / "updateinfo.xml"
    packages = {
        "OURS-1": '<package name="lib" epoch="1" version="1.5" release="2.module" arch="noarch"/>',
        "OTHER-2": '<package name="lib" epoch="1" version="9" release="1" arch="noarch"/>',
    }
    updates = "".join(
        f'<update type="security" status="final" version="1"><id>{name}</id><title>t</title><severity>Low</severity>'
        f'<pkglist><collection short="c"><name>c</name>{package}</collection></pkglist></update>'
        for name, package in packages.items()
    )
    updateinfo.write_text(f'<?xml version="1.0"?><updates>{updates}</updates>')
    bench.repository(APP, LIB, extras={"updateinfo": updateinfo})
    repo = "baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test"
    client = bench.client(bench.tree(bench.lock(repo), repo))
    client.install("app")
    listed = client.run("updateinfo", "list", "--installed")
    assert "OURS-1" in listed
    assert "OTHER-2" not in client.run("updateinfo", "list", "--all")


def test_signed_metadata_vouch_where_packages_are_not_checked(bench: Bench) -> None:
    bench.repository(APP, LIB, signed_metadata=True)
    repo = "baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test, gpgcheck: false, repo_gpgcheck: true"
    artifacts = bench.lock(repo)
    assert {rpm.held_to.by for rpm in rpms(artifacts)} == {"signature"}
    assert all("gpgcheck: false" in rpm.held_to.detail for rpm in rpms(artifacts))
    assert not any(rpm.signed for rpm in rpms(artifacts))


def test_metadata_with_a_bad_signature_are_refused(bench: Bench) -> None:
    directory = bench.repository(APP, LIB, signed_metadata=True)
    repomd = directory / "repodata" / "repomd.xml"
    repomd.write_bytes(repomd.read_bytes() + b"\n")
    with pytest.raises(IntegrityError) as caught:
        bench.lock("baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test, repo_gpgcheck: true")
    assert caught.value.id == ErrorId.RPM_SIGNATURE_BAD
    assert "repository test" in str(caught.value)


def test_only_keys_that_signed_something_reach_the_site(bench: Bench) -> None:
    directory = bench.repository(APP, LIB)
    other = bench.home.make_key("Somebody else")
    (directory / "both.asc").write_bytes(other.public + bench.key.public)
    repo = "baseurl: repo, gpgkey: repo/both.asc"
    artifacts = bench.lock(repo)
    [beside] = [artifact for artifact in artifacts if isinstance(artifact, RepoArtifact)]
    assert len(beside.origins[0].keys) == 1
    assert bench.client(bench.tree(artifacts, repo)).install("app") == CLOSURE


def test_a_dead_repository_names_itself(bench: Bench) -> None:
    directory = bench.repository(APP, LIB)
    with http_site(directory) as url:
        pass
    with pytest.raises(SourceError) as caught:
        bench.lock(f"baseurl: '{url}', gpgkey: repo/RPM-GPG-KEY-test")
    assert caught.value.id == ErrorId.SOURCE_UNREACHABLE
    assert "test" in str(caught.value)


def test_a_package_signed_after_its_key_expired_is_refused_and_not_kept(bench: Bench) -> None:
    made = bench.home.make_key("Expired <old@example.org>", created="2015-01-01")
    paths = build_rpms(bench.directory / "repo-rpms", [LIB])
    sign(paths, made, at="2020-06-01")
    make_repository(bench.directory / "repo", paths, key=made.expiring("2019-01-01"))
    with pytest.raises(IntegrityError) as caught:
        bench.lock("baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test", packages="[lib]")
    assert caught.value.id == ErrorId.RPM_SIGNATURE_BAD
    assert "expired on 2019-01-01" in str(caught.value)
    assert "m.yaml:4" in caught.value.where
    assert "of repository test" in caught.value.where
    assert not any(bench.store.path(Blob.of(path.read_bytes())).exists() for path in paths)


def test_repodata_are_those_of_createrepo_c(bench: Bench) -> None:
    """A client sees the same packages whichever program wrote the repodata."""
    bench.repository(APP, LIB)
    repo = "baseurl: repo, gpgkey: repo/RPM-GPG-KEY-test"
    root = bench.tree(bench.lock(repo), repo)
    queries = (
        "--queryformat=%{name} %{evr} %{arch} %{buildtime} %{size} %{sourcerpm} %{license}",
        "--requires",
        "--list",
    )
    ours = bench.client(root)
    theirs = DnfClient(bench.directory / "other", {"local": f"file://{bench.directory}/repo"}, ours.key)
    for query in queries:
        said = ours.run("--quiet", "repoquery", query, "*")
        assert said == theirs.run("--quiet", "repoquery", query, "*")
        assert said
