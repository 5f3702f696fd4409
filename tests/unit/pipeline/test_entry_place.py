"""Errors name the entry that they are about, and the line it stands on, whenever they come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError, SourceError, StorageError
from bundler.model.lock import EntryName
from bundler.pipeline.building import build, update_lock
from bundler.pipeline.context import Request
from bundler.pipeline.entry_place import EntryPlace, placed_error
from tests.fakes.build_context import build_context
from tests.fakes.kinds import CratesKind
from tests.fakes.notes import NotesKind

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.errors import BundlerError

PLACE = EntryPlace(EntryName("files", "bin/x"), "m.yaml:7:5")
GIB = 1 << 30
MANIFEST = "version: 1\nname: demo\nnotes:\n  - a\n  - b\n"


def request(directory: Path, text: str = MANIFEST) -> Request:
    (directory / "m.yaml").write_text(text)
    return Request(directory / "m.yaml", {}, output=str(directory))


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (SourceError(ErrorId.SOURCE_CUT, "w", where="u", remedy="r"), "u: w (for files bin/x at m.yaml:7:5)"),
        (ManifestError(ErrorId.LOCK_INVALID, "w", where="m.yaml:7:5", remedy="r"), "m.yaml:7:5: w (for files bin/x)"),
        (SourceError(ErrorId.SOURCE_CUT, "files bin/x at m.yaml:7:5", remedy="r"), "files bin/x at m.yaml:7:5"),
        (StorageError(ErrorId.DISK_FULL, "w", where="/s", remedy="r"), "/s: w"),
    ],
)
def test_an_error_says_what_it_does_not_say_yet(error: BundlerError, want: str) -> None:
    assert str(placed_error(error, PLACE)) == want
    assert type(placed_error(error, PLACE)) is type(error)


def test_a_failed_lock_and_a_failed_estimate_name_the_entry(tmp_path: Path) -> None:
    context = build_context(tmp_path, NotesKind({"a": "one"}), free_bytes=GIB)
    for act in (update_lock, build):
        with pytest.raises(SourceError) as caught:
            act(request(tmp_path), context, *([()] if act is update_lock else []))
        assert f"(for notes b at {tmp_path}/m.yaml:5:5)" in str(caught.value)


def test_a_failed_fetch_names_the_entry_although_the_lock_has_no_lines(tmp_path: Path) -> None:
    notes = NotesKind({"a": "one", "b": "two"})
    update_lock(request(tmp_path), build_context(tmp_path / "first", notes, free_bytes=GIB), ())
    notes.upstream = {"a": "one"}
    with pytest.raises(SourceError) as caught:
        build(request(tmp_path), build_context(tmp_path / "second", notes, free_bytes=GIB))
    assert f"(for notes b at {tmp_path}/m.yaml:5:5)" in str(caught.value)


def test_what_an_entry_yields_is_named_with_it(tmp_path: Path) -> None:
    context = build_context(tmp_path, NotesKind(), CratesKind({"box": '["c"]'}), free_bytes=GIB)
    with pytest.raises(SourceError) as caught:
        build(request(tmp_path, "version: 1\nname: demo\ncrates: [box]\n"), context)
    assert f"(for notes c of crates box at {tmp_path}/m.yaml:3:10)" in str(caught.value)
