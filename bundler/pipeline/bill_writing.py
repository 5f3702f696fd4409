"""The bill of materials of a bundle that is being built: what goes into it, and what lies beside its archive.

The two differ: sbom.cdx.json cannot list itself, nor bundle.json, which lists it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive.bundle_files import OWN_KIND
from bundler.archive.checked_index import OWN_MODE
from bundler.archive.member_order import newest_date
from bundler.durable import storage_errors
from bundler.materials.bill import bill_of_materials, hashed
from bundler.materials.cyclonedx import cyclonedx_pieces
from bundler.materials.inner_content import is_looked_into, read_inner_content
from bundler.model.bundle import INDEX_PATH, IndexedFile
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bundler.archive.bundle_files import BundleFiles
    from bundler.materials.inner_content import Chunks, InnerContent
    from bundler.model.bundle import BundleIndex
    from bundler.model.placement import Placement
    from bundler.pipeline.context import BuildContext

_READ_BYTES = 1024 * 1024


class BillWriter:
    """Looks into what is placed, once, and writes both bills.

    Arguments:
        placements: all of the bundle but its own files.
        date_cap: see `Request`.
    """

    def __init__(self, placements: Sequence[Placement], context: BuildContext, date_cap: int | None) -> None:
        self._placements = {file.path: file for file in placements}
        self._context = context
        self._date = newest_date(placements, date_cap)
        self._findings: InnerContent | None = None

    def within(self, index: BundleIndex) -> Iterator[bytes]:
        """Look inside, and return what yields sbom.cdx.json for an index that lists everything else.

        Raises DamagedBlobError, StorageError, ToolMissingError.
        """
        self._findings = read_inner_content(self._contents(index))
        return cyclonedx_pieces(bill_of_materials(index, index.files, self._findings, date=self._date))

    def beside(self, bundle: BundleFiles) -> Iterator[bytes]:
        """Return what yields the bill of the whole bundle, as `bundler sbom` makes it of the archive."""
        if self._findings is None:
            raise AssertionError("whoever has no bill within has none beside")
        [index] = [file for file in bundle.files if file.path == INDEX_PATH]
        described = [IndexedFile(INDEX_PATH, index.blob, OWN_MODE, OWN_KIND), *bundle.index.files]
        bill = bill_of_materials(bundle.index, described, self._findings, bundle_id=bundle.id, date=self._date)
        return cyclonedx_pieces(bill)

    def _contents(self, index: BundleIndex) -> Iterator[tuple[IndexedFile, Chunks]]:
        files = [file for file in index.files if is_looked_into(file)]
        total_bytes = sum(file.blob.size for file in files)
        self._context.runner.progress.expect(total_bytes)
        task = self._context.runner.progress.task(tr("bill of materials"), total_bytes)
        for file in files:
            path = self._context.sources.store.path(file.blob)

            def fault(got: str, blob: Blob = file.blob, path: Path = path) -> Exception:
                return DamagedBlobError.of(blob, tr("holds other bytes"), where=path, got=f"sha256:{got}")

            yield file, hashed(file, iter(self._pieces(self._placements[file.path])), task.advance, fault)
        task.finish()

    def _pieces(self, placement: Placement) -> Iterable[bytes]:
        content = placement.content
        if isinstance(content, bytes):
            return (content,)
        return self._stored(content) if isinstance(content, Blob) else content.pieces()

    def _stored(self, blob: Blob) -> Iterator[bytes]:
        path = self._context.sources.store.path(blob)
        with storage_errors(path):
            try:
                stream = path.open("rb")
            except FileNotFoundError as error:
                raise DamagedBlobError.of(blob, tr("is gone"), where=path, got=tr("no such file")) from error
            with stream:
                while data := stream.read(_READ_BYTES):
                    yield data
