"""An archive that is there -> parts of it, in one pass; the bytes are compared with the archive's sum on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.archive_files import opened
from bundler.archive.beside_archive import all_signatures, keep_signatures
from bundler.archive.faults import damaged
from bundler.archive.hashing import HashThread
from bundler.archive.part_names import WHOLE_SUM
from bundler.directory_walk import make_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.archive.archive_output import OpenOutput
    from bundler.model.progress import Task

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SplitArchive:
    """An archive that was written anew, as other files; `blob` is SHA-256 and size of the whole."""

    blob: Blob
    files: tuple[Path, ...]


def split_archive(files: ArchiveFiles, out: Path, open_output: OpenOutput, task: Task) -> SplitArchive:
    """Write the parts of an archive; the signatures that lie beside it come along.

    Arguments:
        files: the archive, which may be in parts of another size.
        out: the name of which the parts get numbers; its directory is made when it is absent.
        task: advanced by the bytes that were read; not finished here.

    Raises IntegrityError (BUNDLE_DAMAGED, BUNDLE_INCOMPLETE), StorageError. After a failure nothing else has changed.
    """
    _require_own_place(files, out)
    with storage_errors(out.parent):
        make_directories(out.parent, mode=None)
    want, signatures = _whole_sum(files), all_signatures(files)

    def note_waiting() -> None:
        task.note(tr("waiting for another process that writes {name}", name=out.name))

    size = 0
    with open_output(out, note_waiting) as output, opened(files) as raw, HashThread() as digest:
        while chunk := raw.read(READ_BYTES):
            digest.update(chunk)
            size += output.write_all([chunk])
            task.advance(len(chunk))
        blob = Blob(Digest("sha256", digest.hex()), size)
        if want and want != blob.digest.hex:
            raise damaged(
                files.where,
                tr("differs from its {whole_sum} file", whole_sum=WHOLE_SUM),
                want=want,
                got=blob.digest.hex,
            )
        written = output.commit(blob)
    keep_signatures(out, signatures)
    return SplitArchive(blob, written)


def _require_own_place(files: ArchiveFiles, out: Path) -> None:
    """Raise StorageError when another archive of the name lies where the parts go: whoever names it would get that."""
    with storage_errors(out):
        other = out.exists() and not any(path.exists() and path.samefile(out) for path in files.paths)
    if other:
        raise StorageError(
            ErrorId.STORAGE_UNUSABLE,
            tr("another archive of this name lies there, which would be read instead of the parts"),
            where=str(out),
            remedy=tr("Remove it, or choose another directory with -o."),
        )


def _whole_sum(files: ArchiveFiles) -> str:
    """Return the hex SHA-256 that a file beside the archive promises, or ""."""
    path = files.paths[0].with_name(f"{files.where}{WHOLE_SUM}")
    with storage_errors(path):
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            return stream.read(64).decode("ascii", "replace")
