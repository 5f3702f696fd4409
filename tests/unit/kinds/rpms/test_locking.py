"""What an entry of `rpms:` is pinned to, and who vouches for it."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError
from bundler.kinds.base import Sources
from bundler.kinds.rpms.entry import RpmEntry
from bundler.kinds.rpms.kind import RpmsKind
from bundler.kinds.rpms.locking import OpenedRepo, unchecked_on_site
from bundler.kinds.rpms.metadata import load_repo
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.rpm.artifact import RepoArtifact, RpmArtifact
from bundler.model.rpm.repo import RepoSpec
from bundler.model.source_text import Position
from bundler.rpm.metadata.repodata import RepoExtras
from bundler.rpm.signing.keys import read_keys
from bundler.rpm.solve.request import PackageSpec
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry
from tests.fakes.small_rpms import BUILT_S, KEY, KEY_ID, SmallRpm, repository

if TYPE_CHECKING:
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore

BASE = "https://x.example/7"
APP = SmallRpm("app", version="2", arch="x86_64", requires=("lib",))
LIB, OTHER = SmallRpm("lib", epoch=1), SmallRpm("other")
SPEC = RepoSpec("base", baseurls=(f"{BASE}/",), gpgkeys=(f"{BASE}/key.asc",))
POSITION = Position("m.yaml", 7, 5)
ENTRY = RpmEntry(
    id="yum",
    position=POSITION,
    path=BundlePath("yum"),
    release="7",
    arch="x86_64",
    repos=(SPEC,),
    packages=(PackageSpec("app", Position("m.yaml", 9, 17)),),
    roles=("cloud",),
)
OTHER_KEY = Path(__file__).parents[3] / "data" / "keys" / "rsa.asc"
COMPS = b"<comps><group><id>g</id><packagelist><packagereq>lib</packagereq></packagelist></group></comps>"


def sources(files: dict[str, bytes], store: MemoryStore, via: str = "") -> Sources:
    return Sources(MappedDownloader(files, via), MemoryRegistry(), store, "/manifests")


def told_otherwise(files: dict[str, bytes], old: bytes, new: bytes) -> dict[str, bytes]:
    """Return a repository whose primary metadata say something else of the packages."""
    (primary,) = (url for url in files if url.endswith("-primary.xml.gz"))
    (repomd,) = (url for url in files if url.endswith("repomd.xml"))
    plain = gzip.decompress(files[primary])
    assert old in plain
    data = gzip.compress(plain.replace(old, new), mtime=0)
    changes = [
        (Blob.of(files[primary]).digest.hex + "</checksum>", Blob.of(data).digest.hex + "</checksum>"),
        (f"<size>{len(files[primary])}<", f"<size>{len(data)}<"),
    ]
    index = files[repomd].decode()
    for before, after in changes:
        index = index.replace(before, after)
    return files | {primary: data, repomd: index.encode()}


def test_every_package_of_the_closure_is_pinned(store: MemoryStore, task: RecordingTask) -> None:
    at_hand = sources(repository(BASE, [APP, LIB, OTHER], RepoExtras(comps=COMPS)), store)
    beside, app, lib = RpmsKind().lock(ENTRY, at_hand, task)
    assert isinstance(beside, RepoArtifact)
    assert isinstance(app, RpmArtifact)
    assert isinstance(lib, RpmArtifact)
    assert [str(rpm.nevra) for rpm in (app, lib)] == ["app-2-1.x86_64", "lib-1:1.0-1.noarch"]
    assert app.content == Blob.of(APP.content())
    assert (app.urls, app.repo, app.date) == ((f"{BASE}/{APP.file_name}",), "base", BUILT_S)
    assert app.held_to == HeldTo("signature", KEY_ID)
    assert (app.summary, app.roles, str(lib.platform)) == ("About app", ("cloud",), "linux/amd64")
    assert store.has(app.content)
    [origin] = beside.origins
    assert (origin.id, origin.urls, origin.gpgcheck) == ("base", (f"{BASE}/",), True)
    assert [key.startswith("-----BEGIN PGP PUBLIC KEY BLOCK") for key in origin.keys] == [True]
    assert "<packagereq>lib</packagereq>" in beside.comps
    assert (beside.modules, beside.updateinfo) == ("", "")


def test_a_key_that_signed_nothing_does_not_travel(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, LIB]) | {f"{BASE}/other.asc": OTHER_KEY.read_bytes()}
    spec = replace(SPEC, gpgkeys=(f"{BASE}/other.asc", f"{BASE}/key.asc"))
    beside, *_ = RpmsKind().lock(replace(ENTRY, repos=(spec,)), sources(files, store), task)
    assert isinstance(beside, RepoArtifact)
    assert [key.encode() for key in beside.origins[0].keys] == [KEY]


def test_an_estimate_moves_no_package_and_knows_the_sizes(store: MemoryStore, task: RecordingTask) -> None:
    at_hand = sources(repository(BASE, [APP, LIB]), store)
    estimate = RpmsKind().estimate(ENTRY, at_hand, task)
    assert [fetch.provides for fetch in estimate.fetches] == [(Blob.of(rpm.content()),) for rpm in (APP, LIB)]
    assert isinstance(at_hand.downloader, MappedDownloader)
    assert not [url for url in at_hand.downloader.asked if url.endswith(".rpm")]


def test_what_the_store_has_is_not_fetched_again(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, LIB])
    first = RpmsKind().lock(ENTRY, sources(files, store), task)
    again = sources({url: data for url, data in files.items() if not url.endswith(".rpm")}, store)
    assert RpmsKind().lock(ENTRY, again, task) == first


APP_3, LIB_3 = replace(APP, version="3"), replace(LIB, version="3")


def packages(artifacts: tuple[RpmArtifact | RepoArtifact, ...]) -> tuple[RpmArtifact, ...]:
    return tuple(artifact for artifact in artifacts if isinstance(artifact, RpmArtifact))


def test_earlier_pins_are_kept_as_they_were_and_not_fetched_again(store: MemoryStore, task: RecordingTask) -> None:
    first = RpmsKind().lock(ENTRY, sources(repository(BASE, [APP, LIB]), store, via="https://m.example/"), task)
    upgraded = repository(BASE, [APP, LIB, APP_3, LIB_3, OTHER])
    upgraded = {url: data for url, data in upgraded.items() if not url.endswith((APP.file_name, LIB.file_name))}
    more = replace(ENTRY, packages=(*ENTRY.packages, PackageSpec("other", Position("m.yaml", 9, 22))))
    after = packages(RpmsKind().lock(more, sources(upgraded, store), task, kept=first))
    assert after[:2] == packages(first)
    assert [rpm.nevra.name for rpm in after] == ["app", "lib", "other"]


def test_what_is_to_move_moves_alone(store: MemoryStore, task: RecordingTask) -> None:
    first = packages(RpmsKind().lock(ENTRY, sources(repository(BASE, [APP, LIB]), store), task))
    upgraded = sources(repository(BASE, [APP, LIB, APP_3, LIB_3]), store)
    for moved, kept in (first, first[::-1]):
        after = packages(RpmsKind().lock(ENTRY, upgraded, task, kept=[kept], moved=[moved]))
        assert {str(rpm.nevra) for rpm in after if rpm not in first} == {str(replace(moved.nevra, version="3"))}
        assert [rpm for rpm in after if rpm in first] == [kept]
    assert not set(packages(RpmsKind().lock(ENTRY, upgraded, task))) & set(first)


def test_another_order_of_the_mirror_list_changes_no_url_of_what_is_kept(
    store: MemoryStore, task: RecordingTask
) -> None:
    mirrors = [BASE, "https://y.example/7", "https://z.example/7"]
    files = {url: data for mirror in mirrors for url, data in repository(mirror, [APP, LIB]).items()}
    listed = f"{BASE}/mirrors"
    entry = replace(ENTRY, repos=(replace(SPEC, baseurls=(), mirrorlist=listed),))
    files[listed] = "\n".join(mirrors).encode()
    first = packages(RpmsKind().lock(entry, sources(files, store), task))
    files[listed] = "\n".join(mirrors[::-1]).encode()
    assert packages(RpmsKind().lock(entry, sources(files, store), task, kept=first)) == first
    files[listed] = mirrors[1].encode()
    after = packages(RpmsKind().lock(entry, sources(files, store), task, kept=first))
    assert after[0].urls == (f"{mirrors[1]}/{APP.file_name}",)


def test_a_kept_package_is_held_to_the_keys_of_today(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, replace(LIB, signed=False)])
    unchecked = replace(ENTRY, repos=(replace(SPEC, gpgcheck=False),))
    first = RpmsKind().lock(unchecked, sources(files, store), task)
    with pytest.raises(IntegrityError) as caught:
        RpmsKind().lock(ENTRY, sources(files, store), task, kept=first)
    assert caught.value.id == ErrorId.RPM_UNSIGNED


def test_the_mirror_that_bytes_came_through_is_told_and_urls_stay_canonical(
    store: MemoryStore, task: RecordingTask
) -> None:
    _, app, _ = RpmsKind().lock(ENTRY, sources(repository(BASE, [APP, LIB]), store, via="https://m.example/"), task)
    assert isinstance(app, RpmArtifact)
    assert app.held_to == HeldTo("signature", KEY_ID, "https://m.example/")
    assert app.urls == (f"{BASE}/{APP.file_name}",)


def test_a_path_relative_to_the_manifest_stays_one(store: MemoryStore, task: RecordingTask) -> None:
    spec = replace(SPEC, baseurls=("repo",), gpgkeys=("repo/key.asc",))
    files = repository("file:///manifests/repo", [APP, LIB])
    _, app, _ = RpmsKind().lock(replace(ENTRY, repos=(spec,)), sources(files, store), task)
    assert isinstance(app, RpmArtifact)
    assert app.urls == (f"repo/{APP.file_name}",)
    store.blobs.clear()
    [fetch] = RpmsKind().fetches([app])
    RpmsKind().fetch(fetch, sources(files, store), task)
    assert store.has(app.content)


def test_without_gpgcheck_the_metadata_vouch_and_no_key_travels(store: MemoryStore, task: RecordingTask) -> None:
    spec = replace(SPEC, gpgcheck=False)
    files = repository(BASE, [replace(APP, signed=False), LIB])
    beside, app, _ = RpmsKind().lock(replace(ENTRY, repos=(spec,)), sources(files, store), task)
    assert isinstance(app, RpmArtifact)
    assert isinstance(beside, RepoArtifact)
    assert (app.signed, beside.origins[0].gpgcheck, beside.origins[0].keys) == (False, False, ())
    assert str(app.held_to) == "published-checksum metadata of base, gpgcheck: false"


def test_repositories_that_gave_nothing_are_left_out(store: MemoryStore, task: RecordingTask) -> None:
    idle = RepoSpec("idle", baseurls=("https://y.example",), gpgkeys=(f"{BASE}/key.asc",))
    files = repository(BASE, [APP, LIB]) | repository("https://y.example", [OTHER])
    beside, *_ = RpmsKind().lock(replace(ENTRY, repos=(SPEC, idle)), sources(files, store), task)
    assert isinstance(beside, RepoArtifact)
    assert [origin.id for origin in beside.origins] == ["base"]


def refused(entry: RpmEntry, files: dict[str, bytes], store: MemoryStore, task: RecordingTask) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        RpmsKind().lock(entry, sources(files, store), task)
    assert Blob.of(files.get(f"{BASE}/{LIB.file_name}", b"")).digest not in store.blobs
    return caught.value


def test_an_unsigned_package_is_refused_and_not_kept(store: MemoryStore, task: RecordingTask) -> None:
    error = refused(ENTRY, repository(BASE, [APP, replace(LIB, signed=False)]), store, task)
    assert error.id == ErrorId.RPM_UNSIGNED
    assert error.where == "m.yaml:7:5: lib-1:1.0-1.noarch of repository base"


def test_another_package_under_that_name_is_refused(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, LIB])
    files[f"{BASE}/{LIB.file_name}"] = OTHER.content()
    error = refused(ENTRY, files, store, task)
    assert isinstance(error, IntegrityError)
    assert error.id in (ErrorId.CHECKSUM_MISMATCH, ErrorId.UPSTREAM_CHANGED)
    assert "lib-1:1.0-1.noarch of repository base" in error.where


def test_a_package_that_calls_itself_otherwise_than_the_metadata_do_is_refused(
    store: MemoryStore, task: RecordingTask
) -> None:
    files = told_otherwise(repository(BASE, [APP, LIB]), b"<name>lib</name>", b"<name>rib</name>")
    error = refused(ENTRY, files, store, task)
    assert error.id == ErrorId.RPM_DAMAGED
    assert "(want rib-1:1.0-1.noarch, got lib-1:1.0-1.noarch)" in str(error)
    assert not store.has(Blob.of(LIB.content()))


def test_the_date_of_a_package_is_what_its_header_says(store: MemoryStore, task: RecordingTask) -> None:
    files = told_otherwise(repository(BASE, [APP, LIB]), f'build="{BUILT_S}"'.encode(), b'build="4294967295"')
    _, app, lib = RpmsKind().lock(ENTRY, sources(files, store), task)
    assert [rpm.date for rpm in (app, lib) if isinstance(rpm, RpmArtifact)] == [BUILT_S, BUILT_S]


def test_a_name_that_no_file_can_have_is_refused(store: MemoryStore, task: RecordingTask) -> None:
    long = b"l" * 250
    files = told_otherwise(repository(BASE, [APP, LIB]), b"<name>lib</name>", b"<name>%b</name>" % long)
    error = refused(ENTRY, files, store, task)
    assert error.id == ErrorId.REPO_METADATA_INVALID
    assert "longer than 255 bytes" in error.what


@pytest.mark.parametrize(
    ("place", "url"),
    [
        (b"https://other.example/x", f"https://other.example/x/{APP.file_name}"),
        (b"sub", f"../repo/sub/{APP.file_name}"),
    ],
)
def test_a_relative_repository_may_have_its_packages_elsewhere(
    store: MemoryStore, task: RecordingTask, place: bytes, url: str
) -> None:
    files = repository("file:///repo", [APP, LIB])
    files = told_otherwise(files, b'<location href="app', b'<location xml:base="%b" href="app' % place)
    files[url.replace("..", "file://")] = APP.content()
    spec = replace(SPEC, baseurls=("../repo",), gpgkeys=("../repo/key.asc",))
    _, app, _ = RpmsKind().lock(replace(ENTRY, repos=(spec,)), sources(files, store), task)
    assert isinstance(app, RpmArtifact)
    assert app.urls == (url,)


def test_a_package_that_is_missing_upstream_is_named(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, LIB])
    del files[f"{BASE}/{LIB.file_name}"]
    error = refused(ENTRY, files, store, task)
    assert error.id == ErrorId.SOURCE_NOT_FOUND
    assert error.where == "m.yaml:7:5: lib-1:1.0-1.noarch of repository base"
    assert f"{BASE}/{LIB.file_name}" in error.what
    assert "The repository lists the file and does not have it" in error.remedy
    assert "manifest" not in error.remedy


def test_a_key_that_is_none_names_its_repository(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP, LIB]) | {f"{BASE}/key.asc": KEY[:100]}
    error = refused(ENTRY, files, store, task)
    assert error.id == ErrorId.RPM_KEY_UNREADABLE
    assert "gpgkey of repository base" in error.where


def test_an_unsatisfiable_spec_fetches_no_package(store: MemoryStore, task: RecordingTask) -> None:
    files = repository(BASE, [APP])
    at_hand = sources(files, store)
    with pytest.raises(BundlerError) as caught:
        RpmsKind().lock(ENTRY, at_hand, task)
    assert caught.value.id == ErrorId.RPM_UNSATISFIABLE
    assert "m.yaml:9:17" in caught.value.text()
    assert isinstance(at_hand.downloader, MappedDownloader)
    assert not [url for url in at_hand.downloader.asked if url.endswith(".rpm")]


def renamed(files: dict[str, bytes], href: str, name: str) -> dict[str, bytes]:
    """Return a repository that lists one package under another href, and has it under another name."""
    given = told_otherwise(files, f'href="{APP.file_name}"'.encode(), f'href="{href}"'.encode())
    return {url.replace(APP.file_name, name): data for url, data in given.items()}


@pytest.mark.parametrize(
    ("href", "name", "others"),
    [
        ("app++-2.rpm", "app%2B%2B-2.rpm", ()),
        ("app-1%3a2.rpm", "app-1%253a2.rpm", ("app-1%3a2.rpm",)),
        ("app-1%3a2.rpm", "app-1%3a2.rpm", ("app-1%253a2.rpm",)),
    ],
    ids=["plus", "per-cent", "escaped-already"],
)
def test_a_package_comes_from_where_its_href_may_lead(
    store: MemoryStore, task: RecordingTask, href: str, name: str, others: tuple[str, ...]
) -> None:
    files = renamed(repository(BASE, [APP, LIB]), href, name)
    _, app, _ = RpmsKind().lock(ENTRY, sources(files, store), task)
    assert isinstance(app, RpmArtifact)
    assert sorted(app.urls) == sorted(f"{BASE}/{place}" for place in (name, *others))
    assert app.content == Blob.of(APP.content())


@pytest.mark.parametrize("name", ["app+-1%3a2.rpm", "app+-1:2.rpm"])
def test_a_repository_beside_the_manifest_has_its_names_as_they_are(
    store: MemoryStore, task: RecordingTask, name: str
) -> None:
    spec = replace(SPEC, baseurls=("repo",), gpgkeys=("repo/key.asc",))
    files = renamed(repository("file:///manifests/repo", [APP, LIB]), "app+-1%3a2.rpm", quote(name))
    _, app, _ = RpmsKind().lock(replace(ENTRY, repos=(spec,)), sources(files, store), task)
    assert isinstance(app, RpmArtifact)
    assert app.urls == ("repo/app+-1%3a2.rpm", "repo/app+-1:2.rpm")


@pytest.mark.parametrize(("release", "told"), [("7", True), ("7.9", True), ("8", False), ("", False)])
def test_signatures_that_rpm_of_el7_cannot_check_are_told(
    store: MemoryStore, task: RecordingTask, release: str, told: bool
) -> None:
    entry = replace(ENTRY, release=release)
    _, app, lib = RpmsKind().lock(entry, sources(repository(BASE, [APP, LIB]), store), task)
    assert not [note for note in task.notes if "rpm 4.11" in note]
    [key] = read_keys(OTHER_KEY.with_name("two-subkeys.asc").read_bytes(), "key")
    by_subkey = [
        replace(rpm, held_to=HeldTo("signature", key.parts[2].key_id))
        for rpm in (app, lib)
        if isinstance(rpm, RpmArtifact)
    ]
    metadata = load_repo(SPEC, sources(repository(BASE, [APP, LIB]), store), task)
    notes = unchecked_on_site(entry, {"base": OpenedRepo(metadata, (key,))}, by_subkey)
    assert len(notes) == int(told)
    assert all(
        "2 packages of repository base, such as app-2-1.x86_64" in note and "a subkey of" in note for note in notes
    )
