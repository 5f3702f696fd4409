"""An archive: one file, parts `NAME.000 …` read as one stream (docs/formats.md, "Parts"), or a pipe."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.archive.faults import DamagedPartError, OtherFormError, damaged, damaged_part, incomplete, not_found
from bundler.archive.part_names import SUFFIXES, archive_name, as_part
from bundler.archive.part_set import NOWHERE_ELSE, find_parts, only_archive
from bundler.durable import MEDIUM_ERRORS, storage_errors
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bundler.archive.archive_pipe import ArchivePipe
    from bundler.archive.hashing import HashThread
    from bundler.archive.part_set import PartPlaces, PartRequest, PartSet
    from bundler.model.digest import Digest


# a bundle that was read, and is not wanted: no part is to blame, as it may be where a signature does not hold
_ABOUT_THE_WHOLE = frozenset({ErrorId.SIGNATURE_MISSING, ErrorId.BUNDLE_NAME_REFUSED, ErrorId.BUNDLE_OLDER})


@dataclass(frozen=True, slots=True)
class ArchiveFiles:
    """The file or files of one archive, in order.

    Arguments:
        paths: where each lies; one that a person is asked for, when its turn comes, need not be there.
        parts: what is known of them as parts; None for a whole archive.
        request: asks for the medium with a part that is not there.
        pipe: what it is read from instead, once.
        digest: the SHA-256 of all of it, where somebody vouches for one.
    """

    where: str
    paths: tuple[Path, ...]
    parts: PartSet | None = None
    request: PartRequest | None = None
    pipe: ArchivePipe | None = None
    digest: Digest | None = None

    @property
    def whole(self) -> Path | None:
        """The archive's own path, whether it lies there or only its parts do; None for a pipe."""
        return self.parts.whole if self.parts else next(iter(self.paths), None)

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where files lie that belong to it; none for a pipe."""
        return self.parts.directories if self.parts else tuple(path.parent for path in self.paths)

    @property
    def size(self) -> int:
        """Bytes of all of them together; of a part that is not there as many as of the others."""
        usual = self.parts.part_bytes if self.parts and self.parts.part_bytes else 0
        with storage_errors(self.where):
            return sum(path.stat().st_size if path.exists() else usual for path in self.paths)

    @property
    def stop(self) -> Callable[[], None] | None:
        """What ends waiting for bytes, or for a medium; None where nothing is waited for."""
        waiting = self.pipe or self.request
        return None if waiting is None else waiting.stop

    def bad_parts(self) -> list[str]:
        """Return the parts, with their ranges, whose bytes differ from their sums; reads all that are there."""
        parts = self.parts
        if parts is None:
            return []
        return [parts.described(path.name) for path in self.paths if path.name in parts.sums and _differs(path, parts)]

    def located(self, path: Path) -> Path:
        """Return where a part lies, having asked for it if need be. Raises IntegrityError (BUNDLE_INCOMPLETE)."""
        parts = self.parts
        if parts is None or self.request is None or path.exists():
            return path
        while (found := parts.path(path.name)) is None:
            if not self.request.ask(path.name):
                raise incomplete(str(parts.whole), [parts.described(path.name)])
        return found


def archive_files(path: Path, places: PartPlaces = NOWHERE_ELSE) -> ArchiveFiles:
    """Find the files of an archive by its own name, by that of any file of a set of parts, or by the set's directory.

    Arguments:
        places: where else parts may lie.

    Raises BundleFormatError (BUNDLE_NOT_FOUND), IntegrityError (BUNDLE_INCOMPLETE, with the missing parts' names and
    ranges), StorageError.
    """
    with storage_errors(path):
        if path.is_dir():
            whole = path / only_archive(path, (path, *places.directories))
        else:
            whole = path.with_name(archive_name(path.name))
        if whole.is_file() and as_part(path.name) is None:
            return ArchiveFiles(whole.name, (whole,))
        found = find_parts(path, places)
        if path.is_file() and (found is None or _is_no_part(path.name, found)):
            return ArchiveFiles(path.name, (path,))
    if found is None:
        raise not_found(str(path), tr("there is no such archive"))
    # without a list nobody knows how many are to come
    request = places.request if found.sums else None
    if request is None and (missing := found.missing):
        raise incomplete(str(found.whole), [found.described(name) for name in missing])
    paths = tuple(found.path(name) or found.whole.with_name(name) for name in found.names)
    return ArchiveFiles(found.whole.name, paths, found, request)


def as_files(source: Path | ArchiveFiles) -> ArchiveFiles:
    """Return the files of an archive that is named, or was found already; raises as `archive_files` does."""
    return source if isinstance(source, ArchiveFiles) else archive_files(source)


def _is_no_part(name: str, found: PartSet) -> bool:
    """Tell whether a file is called like a part and is a whole archive: nothing else speaks for parts."""
    whole = found.whole.name
    return (
        not found.sums and not whole.endswith(SUFFIXES) and name != found.names[0] and found.names[0] in found.missing
    )


@contextmanager
def naming_bad_parts(files: ArchiveFiles) -> Iterator[None]:
    """Let an error about the content of an archive be one about the parts that are to blame, where their sums tell.

    The content is read ahead of its checksums: a flipped bit may be met first as a header that is none.
    """
    try:
        yield
    except (DamagedPartError, OtherFormError):
        raise
    except (IntegrityError, BundleFormatError) as error:
        if error.id in _ABOUT_THE_WHOLE:
            raise
        if bad := files.bad_parts():
            raise damaged_parts(files, bad) from error
        raise


def damaged_parts(files: ArchiveFiles, bad: Sequence[str]) -> IntegrityError:
    """Return the error for parts that differ from their sums, as `ArchiveFiles.bad_parts` has them."""
    return damaged_part(
        files.where,
        tr("parts of the archive are damaged"),
        want=tr("the sums"),
        got=tr("bad {bad}", bad=", ".join(bad)),
    )


@contextmanager
def opened(files: ArchiveFiles) -> Iterator[BinaryIO]:
    """Open the archive as one stream of bytes.

    Raises IntegrityError at the end of a part that differs from its sum, and of an archive that has another digest.
    """
    if files.pipe is not None:
        yield files.pipe
        return
    with _JoinedParts(files) as raw:
        yield raw


class _JoinedParts(io.RawIOBase, BinaryIO):
    """The parts one after the other; a BinaryIO only because readers require one."""

    def __init__(self, files: ArchiveFiles) -> None:
        super().__init__()
        self._files = files
        self._rest = iter(files.paths)
        self._path: Path | None = None
        self._current: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._whole: HashThread | None = None
        if files.digest is not None:
            from bundler.archive.hashing import HashThread  # takes long to load, for what is seldom there

            self._whole = HashThread()
        self._sums = files.parts.sums if files.parts else {}
        self._next()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed asks for any buffer; readers hand in these
        while self._current is not None:
            count = self._read(buffer)
            if count:
                if self._sums:
                    self._digest.update(memoryview(buffer)[:count])
                if self._whole is not None:
                    self._whole.update(bytes(memoryview(buffer)[:count]))
                return count
            self._finish()
            self._next()
        self._require_whole()
        return 0

    def _read(self, buffer: memoryview) -> int:
        with storage_errors(self._path or self._files.where):
            try:
                return self._current.readinto(buffer)  # type: ignore[union-attr,no-any-return] # a FileIO, as opened below
            except OSError as error:
                if error.errno not in MEDIUM_ERRORS:
                    raise
                raise self._damaged(want=tr("what was written"), got=f"{error.strerror}") from error

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
        if self._whole is not None:
            self._whole.__exit__()
        super().close()

    def _require_whole(self) -> None:
        want = self._files.digest
        if self._whole is not None and want is not None and (got := self._whole.hex()) != want.hex:
            what = tr("is not the archive that its .sha256 names")
            raise damaged(self._files.where, what, want=want.hex, got=got)

    def _next(self) -> None:
        path = next(self._rest, None)
        self._digest = hashlib.sha256()
        if path is None:
            self._path = self._current = None
            return
        self._path = self._files.located(path)
        with storage_errors(self._path):
            self._current = self._path.open("rb", buffering=0)

    def _finish(self) -> None:
        if self._current is None or self._path is None:
            return
        self._current.close()
        want = self._sums.get(self._path.name)
        if want is not None and self._digest.hexdigest() != want:
            raise self._damaged(want=want, got=self._digest.hexdigest())

    def _damaged(self, *, want: str, got: str) -> IntegrityError:
        path, parts = self._path, self._files.parts
        found = parts.byte_range(path.name) if parts and path else None
        if parts is None:
            return damaged(str(path), tr("this file is damaged"), want=want, got=got)
        what = tr("this part is damaged")
        return damaged_part(
            str(path),
            tr("{what}, {found} of the archive", what=what, found=found) if found else what,
            want=want,
            got=got,
        )


def _differs(path: Path, parts: PartSet) -> bool:
    """Tell whether a part that is there differs from its sum; one that cannot be read does."""
    with storage_errors(path):
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() != parts.sums[path.name]
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in MEDIUM_ERRORS:
                raise
            return True
