"""Blobs -> the archive. Places everything, writes it, and mends the store when an entry turns out to be damaged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bundler.archive.archive_output import one_file, sums_line
from bundler.archive.beside_archive import checksum_path
from bundler.archive.bundle_files import bundle_files
from bundler.archive.part_names import BILL
from bundler.archive.signing import sign_file, signature_placements
from bundler.archive.writer import write_archive
from bundler.carry.part_writer import ParityRequest, parts_output
from bundler.manifest.reader import load_manifest
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.lock import lock_pieces, lock_remarks
from bundler.partial_file import write_pieces_durably
from bundler.pipeline.context import CarryForm
from bundler.pipeline.delta_choice import delta_marks
from bundler.pipeline.entry_place import EntryFinder
from bundler.pipeline.fetching import fetch_all
from bundler.pipeline.patching import make_patches
from bundler.pipeline.planning import plan_lock
from bundler.pipeline.whole_blob import is_whole
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.archive_output import OpenOutput
    from bundler.archive.writer import WrittenArchive
    from bundler.model.bundle import BundleIndex
    from bundler.model.delta_mark import Base
    from bundler.model.digest import Blob
    from bundler.model.lock import Lock
    from bundler.model.manifest import Manifest
    from bundler.model.placement import KeptText, Placement
    from bundler.pipeline.bill_writing import BillWriter
    from bundler.pipeline.context import BuildContext, Request

T = TypeVar("T")
# all that is damaged is mended at once: a disk that damages more each time is beyond mending by fetching again
MAX_REPAIRS = 3


@dataclass(frozen=True, slots=True)
class Built:
    """A finished archive.

    Arguments:
        archive: its SHA-256 and size.
        written: what holds the archive, in order: itself, or its parts.
        bundle_id: in full.
        files, content_bytes: how many the bundle has, and their bytes.
        fetched_bytes, present_bytes: what was downloaded for it, and what the store had of that already.
        sbom: the bill of materials that was written beside it, if one was wanted.
        bases: what it builds on, where it is a delta.
        carried_bytes: those of the content that the archive carries.
        left_out: how many files it leaves to its bases.
    """

    path: Path
    archive: Blob
    written: tuple[Path, ...]
    bundle_id: str
    files: int
    content_bytes: int
    remarks: tuple[str, ...]
    fetched_bytes: int = 0
    present_bytes: int = 0
    sbom: Path | None = None
    bases: tuple[Base, ...] = ()
    carried_bytes: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Carried:
    """All files of a bundle, and which paths of them the archive leaves out."""

    files: Sequence[Placement]
    left_out: AbstractSet[str]

    @property
    def content_bytes(self) -> int:
        return sum(file.blob.size for file in self.files if file.path not in self.left_out)


def place_all(lock: Lock, context: BuildContext) -> list[Placement]:
    """Return where everything that a lock pins goes in the bundle, except the bundle's own files."""
    placements: list[Placement] = []
    for name, kind in context.kinds.items():
        entries = [entry for entry in lock.entries if entry.kind == name]
        placements += kind.place(entries, lock.platforms, context.sources)
    return placements


def assemble(
    manifest: Manifest,
    manifest_text: bytes | KeptText,
    lock: Lock,
    output: Path,
    request: Request,
    context: BuildContext,
    keep: Callable[[Iterable[bytes]], bytes | KeptText],
) -> Built:
    """Write the archive of a lock whose blobs the store has.

    Arguments:
        manifest_text: the manifest's file, which travels in the bundle.
        output: the archive's final path.
        request: tells the newest date that any member may have, and who signs.
        keep: takes a long text until the archive is written.

    Raises DamagedBlobError when the store keeps losing bytes, StorageError, ManifestError for paths that collide.
    """
    placements = _mending(lambda: place_all(lock, context), lock, request, context)
    bills = _bill_writer(placements, context, request.date_cap) if request.sbom else None
    delta = delta_marks(placements, request.bases, request.date_cap)
    patches = _mending(
        lambda: make_patches(placements, delta, lock, output.parent, request, context, keep), lock, request, context
    )
    delta = patches.marked(delta, placements, request.date_cap)
    bundle = bundle_files(
        placements,
        name=manifest.name,
        release=manifest.release,
        platforms=lock.platforms,
        manifest=lock.manifest,
        manifest_text=manifest_text,
        lock_text=lock_pieces(lock),
        keep=keep,
        bill=None if bills is None else partial(_bill_within, bills, lock, request, context),
        delta=delta,
    )
    # signatures are no part of what is signed, and every command counts the same files
    count, total_bytes = len(bundle.files), sum(file.blob.size for file in bundle.files)
    files, bundle_id = (*bundle.files, *signature_placements(bundle.files, request.signers)), bundle.id
    bill = None if bills is None else keep(bills.beside(bundle))
    # the index is a text by now, and so are both bills
    del bundle, bills
    carried = _Carried((*files, *patches.placements()), delta.marks.keys())
    written = _mending(lambda: _write(carried, output, request, context), lock, request, context)
    sign_file(checksum_path(output), sums_line(written.blob.digest, output.name), request.signers)
    sbom = None if bill is None else _write_bill(bill, output)
    return Built(
        path=written.path,
        archive=written.blob,
        written=written.files,
        bundle_id=bundle_id,
        files=count,
        content_bytes=total_bytes,
        remarks=lock_remarks(lock),
        sbom=sbom,
        bases=delta.bases,
        carried_bytes=carried.content_bytes,
        left_out=len(delta.marks),
    )


def _bill_writer(placements: Sequence[Placement], context: BuildContext, date_cap: int | None) -> BillWriter:
    # what reads layers takes long to load
    from bundler.pipeline.bill_writing import BillWriter

    return BillWriter(placements, context, date_cap)


def _bill_within(
    bills: BillWriter, lock: Lock, request: Request, context: BuildContext, index: BundleIndex
) -> Iterable[bytes]:
    return _mending(lambda: bills.within(index), lock, request, context)


def _write_bill(bill: bytes | KeptText, output: Path) -> Path:
    path = output.with_name(f"{output.name}{BILL}")
    write_pieces_durably(path, (bill,) if isinstance(bill, bytes) else bill.pieces())
    return path


def _write(carried: _Carried, output: Path, request: Request, context: BuildContext) -> WrittenArchive:
    task = context.runner.progress.task(output.name, carried.content_bytes, apart=True)
    try:
        written = write_archive(
            carried.files,
            store_path=context.sources.store.path,
            out=output,
            task=task,
            source_date_epoch=request.date_cap,
            checksums=context.checksums,
            open_output=_output(request.carry, context),
            left_out=carried.left_out,
        )
    except DamagedBlobError:
        task.finish(tr("damaged entry in the store"))
        raise
    task.finish()
    return written


def entry_finder(lock: Lock, request: Request, context: BuildContext) -> EntryFinder:
    """Return what finds the entries of a lock in the manifest that it was made from."""
    kinds = tuple(context.kinds.values())
    return EntryFinder(lock, lambda: load_manifest(request.manifest, kinds, request.overrides))


def _output(form: CarryForm, context: BuildContext) -> OpenOutput:
    if form == CarryForm():
        return one_file
    percent, begin = form.parity_percent, context.runner.progress.task
    return parts_output(form.part_bytes, parity=None if percent is None else ParityRequest(percent, begin))


def _mending(act: Callable[[], T], lock: Lock, request: Request, context: BuildContext) -> T:
    """Do something that reads the store; fetch again what turns out to be damaged there, and do it once more."""
    for repairs_left in range(MAX_REPAIRS, -1, -1):
        try:
            return act()
        except DamagedBlobError as error:
            if not repairs_left:
                raise
            for blob in _damaged(error.blob, lock, context):
                context.runner.progress.note(
                    tr("{digest} is damaged in the store; fetching it again", digest=blob.digest)
                )
                context.sources.store.drop(blob)
            plan = plan_lock(lock, context, request.bases, look_inside=request.sbom)
            context.runner.progress.expect(plan.fetch_bytes)
            fetch_all(plan.fetches, context.keeping_going(False), entry_finder(lock, request, context))
    raise AssertionError("the last attempt either returned or raised")


def _damaged(found: Blob, lock: Lock, context: BuildContext) -> list[Blob]:
    """Return the damaged blob that was found, and every other one of the lock's, so that one repair is enough."""
    store = context.sources.store
    pinned = {blob for entry in lock.entries for artifact in entry.artifacts for blob in artifact.blobs} - {found}
    others = [blob for blob in pinned if store.has(blob) and not is_whole(store.path(blob), blob)]
    return [found, *sorted(others, key=lambda blob: str(blob.digest))]
