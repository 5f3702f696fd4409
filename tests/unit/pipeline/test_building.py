"""A manifest whose entries yield further entries, from its file to its archive."""

from __future__ import annotations

import json
import random
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError, SourceError
from bundler.pipeline.building import build, plan_build, update_lock
from bundler.pipeline.context import CarryForm, Request
from bundler.pipeline.opened_lock import lock_path
from tests.fakes.build_context import build_context
from tests.fakes.kinds import CratesKind
from tests.fakes.notes import NotesKind
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.pipeline.context import BuildContext

BOX = json.dumps(["a", {"id": "b", "wish": "red"}])
NOTES = {"a": "one", "b": "two", "c": "three"}
GIB = 1 << 30


@dataclass(slots=True)
class Site:
    """A manifest that lists a crate and a note, and what is upstream."""

    directory: Path
    store: MemoryStore
    notes: NotesKind = field(default_factory=lambda: NotesKind(dict(NOTES)))
    crates: CratesKind = field(default_factory=lambda: CratesKind({"box": BOX}))

    @property
    def request(self) -> Request:
        manifest = self.directory / "m.yaml"
        manifest.write_text("version: 1\nname: demo\nnotes: [c]\ncrates: [box]\n")
        return Request(manifest, {}, output=str(self.directory))

    def context(self, *, keep_going: bool = False) -> BuildContext:
        kinds = (self.notes, self.crates)
        return build_context(self.directory, *kinds, store=self.store, keep_going=keep_going, free_bytes=GIB)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, MemoryStore(tmp_path / "store"))


def test_a_build_holds_what_entries_yield_and_follows_the_lock_the_next_time(site: Site) -> None:
    built = build(site.request, site.context())
    with tarfile.open(built.path) as archive:
        assert {"a", "b", "c", "box"} <= set(archive.getnames())
        packed = archive.extractfile("lock.json")
        assert packed is not None
        assert packed.read() == lock_path(site.request.manifest).read_bytes()
    # for the plan, and for the lock
    assert site.crates.asked == ["box", "box"]
    assert sorted(site.notes.locked) == ["a", "b", "c"]

    site.notes.upstream = site.crates.upstream = {}
    assert build(site.request, site.context()).archive == built.archive
    # read from its pins
    assert site.crates.asked == ["box", "box", "box"]


def test_a_build_writes_parts_and_parity_and_never_a_whole_archive(site: Site) -> None:
    site.notes.upstream["c"] = random.Random(1).randbytes(100_000).hex()
    request = replace(site.request, carry=CarryForm(64 * 1024, 50))
    built = build(request, site.context())
    names = {path.name for path in site.directory.iterdir() if path.is_file()}
    assert [path.name for path in built.written] == ["demo.tar.gz.000", "demo.tar.gz.001"]
    assert {"demo.tar.gz.p00", "demo.tar.gz.parity.json", "demo.tar.gz.parts.sha256", "demo.tar.gz.sha256"} <= names
    assert "demo.tar.gz" not in names
    whole = build(site.request, site.context())
    assert whole.archive == built.archive
    assert not any(path.exists() for path in built.written)


def test_a_plan_without_a_lock_counts_what_entries_yield(site: Site) -> None:
    plan, _, _ = plan_build(site.request, site.context())
    assert sorted((item.kind, item.fetch.label) for item in plan.fetches) == [
        ("crates", "box"),
        ("notes", "a"),
        ("notes", "b"),
        ("notes", "c"),
    ]
    assert plan.fetch_bytes == len(BOX) + sum(map(len, NOTES.values()))
    assert not lock_path(site.request.manifest).exists()


def test_an_update_of_an_entry_is_written_with_what_it_yields_now(site: Site) -> None:
    _, before = update_lock(site.request, site.context(), ())
    site.crates.upstream["box"] = json.dumps(["a", "c"])
    site.notes.upstream["a"] = "one, mended"
    previous, after = update_lock(site.request, site.context(), ["box"])
    assert previous == before
    assert [(entry.id, entry.derived_from and entry.derived_from.id) for entry in after.entries] == [
        ("box", None),
        ("a", "box"),
        ("c", None),
    ]
    assert after.entry("notes", "a") != before.entry("notes", "a")
    assert after.entry("notes", "c") == before.entry("notes", "c")


def test_an_entry_that_is_listed_after_it_was_locked_as_derived_wants_a_new_lock(site: Site) -> None:
    update_lock(site.request, site.context(), ())
    request = site.request
    request.manifest.write_text("version: 1\nname: demo\nnotes: [c, a]\ncrates: [box]\n")
    with pytest.raises(ManifestError, match="disagree") as caught:
        build(request, site.context())
    assert caught.value.id is ErrorId.LOCK_OUTDATED
    assert "m.yaml:3:12: notes a is in the lock only as what crates box yields" in caught.value.text()


@pytest.mark.parametrize("keep_going", [False, True])
def test_what_cannot_be_had_fails_the_build_and_leaves_no_lock(site: Site, keep_going: bool) -> None:
    del site.notes.upstream["b"]
    with pytest.raises(SourceError, match="b: is not there"):
        build(site.request, site.context(keep_going=keep_going))
    assert not lock_path(site.request.manifest).exists()
    # the rest is fetched for the next time
    assert sorted(site.notes.fetched) == (["a", "c"] if keep_going else [])
