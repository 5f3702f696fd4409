"""A build that writes bills of materials: one in the bundle, one beside it, the same bytes every time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.archive.verify import verify_archive
from bundler.materials.cyclonedx import NAMESPACE, cyclonedx_pieces
from bundler.model.bundle import SBOM_PATH
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.manifest import Manifest
from bundler.model.platform import Platform
from bundler.pipeline.assembling import assemble
from bundler.pipeline.bill_writing import BillWriter
from bundler.pipeline.context import Request
from bundler.pipeline.locking import pin_manifest
from bundler.source.open_source import open_source
from tests.fakes.build_context import build_context
from tests.fakes.notes import NotesKind
from tests.fakes.progress import RecordingProgress, RecordingTask
from tests.fakes.store import MemoryStore
from tests.unit.archive.bundles import bundle_of
from tests.unit.materials.bundles import VSFTPD, bill_of, materials_placements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement
    from bundler.pipeline.assembling import Built

MANIFEST = Manifest("demo", "2025.03", (Platform("linux", "amd64"),), {}, {})


@dataclass(slots=True)
class PlacingKind(NotesKind):
    """Places what it was given."""

    placements: list[Placement] = field(default_factory=list)

    def place(self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources) -> list[Placement]:
        """Return it."""
        del entries, platforms, sources
        return self.placements


def build(directory: Path, name: str, *, sbom: bool = True) -> Built:
    store = MemoryStore(directory / "store")
    placements = materials_placements(directory / "made", store)
    context = build_context(
        directory, PlacingKind({}, placements=placements), store=store, progress=RecordingProgress()
    )
    lock = pin_manifest(MANIFEST, context).lock
    request = Request(directory / "m.yaml", {}, sbom=sbom)
    return assemble(MANIFEST, b"version: 1\n", lock, directory / name, request, context, b"".join)


def test_both_bills_are_written_and_the_bundle_is_whole(tmp_path: Path) -> None:
    built = build(tmp_path, "demo.tar.gz")
    assert built.sbom == tmp_path / "demo.tar.gz.cdx.json"
    assert verify_archive(built.path, RecordingTask()).intact
    assert built.sbom.read_bytes() == b"".join(cyclonedx_pieces(bill_of(built.path)))


def test_the_bill_in_the_bundle_lists_every_other_path(tmp_path: Path) -> None:
    built = build(tmp_path, "demo.tar.gz")
    with open_source(str(built.path)) as reader:
        listed = {str(file.path) for file in reader.checked.index.files}
        [text] = [b"".join(file.chunks) for file in reader.files(frozenset()) if file.path == SBOM_PATH]
    paths = {
        item["value"]
        for component in json.loads(text)["components"]
        for item in component["properties"]
        if item["name"] == f"{NAMESPACE}path"
    }
    assert paths == listed - {SBOM_PATH}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (build(tmp_path / name, "demo.tar.gz") for name in ("one", "two"))
    assert one.archive == two.archive
    assert one.sbom is not None
    assert two.sbom is not None
    assert one.sbom.read_bytes() == two.sbom.read_bytes()


def test_a_build_without_is_as_it_was(tmp_path: Path) -> None:
    built = build(tmp_path, "demo.tar.gz", sbom=False)
    assert built.sbom is None
    assert {path.name for path in tmp_path.glob("demo*")} == {"demo.tar.gz", "demo.tar.gz.sha256"}


def test_a_damaged_blob_is_found_before_it_is_described(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path / "store")
    placements = materials_placements(tmp_path / "made", store)
    [digest] = [digest for digest, data in store.blobs.items() if data == VSFTPD.content()]
    store.blobs[digest] = b"x" * len(VSFTPD.content())
    context = build_context(tmp_path, NotesKind({}), store=store, progress=RecordingProgress())
    with pytest.raises(DamagedBlobError) as caught:
        BillWriter(placements, context, None).within(bundle_of(placements).index)
    assert caught.value.blob.digest == digest
