"""A bundle's archive, read member by member against its own index. Owns the bounds: it yields no more than is listed.

bundle.json is the first file of an archive that bundler has written. In an archive packed again from a tree by another
tar it may be anywhere: such an archive is read twice, the first time only up to bundle.json.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from bundler.archive.archive_files import as_files, naming_bad_parts
from bundler.archive.archive_head import ArchiveHead, read_head
from bundler.archive.beside_archive import detached_signatures
from bundler.archive.bundle_reader import ArchivedFile, unlisted_file
from bundler.archive.checked_index import OWN_MODE, CheckedIndex, check_index, refusal
from bundler.archive.faults import invalid, not_found, unsafe
from bundler.archive.inflate import inflated
from bundler.archive.ownership import DIRECTORY_MODE, header_fault
from bundler.archive.tar_reader import TarReader
from bundler.errors import BundleFormatError
from bundler.large_memory import expect_text
from bundler.model.bundle import (
    INDEX_PATH,
    MAX_INDEX_BYTES,
    SUMS_PATH,
    is_signature,
)
from bundler.model.signature_name import MAX_SIGNATURE_BYTES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.archive.ownership import OwnershipFault
    from bundler.archive.tar_reader import TarMember

# how much more than its index an archive may hold before reading stops: room for every changed file of a valid one
MAX_UNLISTED_BYTES = 64 * 1024 * 1024
# how many plain bytes per byte of the archive may precede a bundle.json that is not first: more is a bomb
MAX_RATIO = 100


class _ReadIndex(NamedTuple):
    """A bundle.json that was read, and its bytes."""

    checked: CheckedIndex
    data: bytes


class ArchiveReader:
    """An open archive; made by `open_archive`. `directory_dates` and `faults` fill up while the files are read.

    `faults` has the paths (`path/` for a directory) of members whose headers are not those that bundler writes.
    """

    def __init__(
        self,
        index: _ReadIndex,
        tar: TarReader,
        members: Iterator[TarMember],
        head: ArchiveHead,
        beside: Mapping[str, bytes],
    ) -> None:
        self.checked = index.checked
        self.signatures: Mapping[str, bytes] = {**beside, **head.signatures}
        self.directory_dates: dict[str, int] = {}
        self.faults: list[tuple[str, OwnershipFault]] = []
        self._tar = tar
        self._members = members
        self._head = head
        # let go when it has been given: that of thousands of files has megabytes
        self._index_bytes = index.data

    @property
    def gives_all(self) -> bool:
        """It does."""
        return True

    def expected(self, wanted: AbstractSet[str]) -> AbstractSet[str]:
        """Return every path that the archive carries."""
        del wanted
        return self.checked.carried.keys()

    def files(self, wanted: AbstractSet[str] = frozenset()) -> Iterator[ArchivedFile]:
        """Yield every file in archive order, once; a signature, which no index can list, counts as listed.

        Signatures that lie beside the archive come when bundle.json has come.

        Raises IntegrityError: ARCHIVE_UNSAFE at the first unsafe member, or at much more content than is listed;
        BUNDLE_DAMAGED.
        """
        del wanted
        checked = self.checked
        room = checked.carried_bytes + MAX_UNLISTED_BYTES
        for member in self._members:
            room -= member.size
            if room < 0:
                want = tr("about {total_bytes} bytes", total_bytes=checked.carried_bytes)
                raise unsafe(
                    checked.where,
                    tr("{path} is more than the archive lists", path=member.path),
                    want=want,
                    got=tr("more"),
                )
            if member.directory:
                if member.path in checked.carried_directories:
                    self.directory_dates[member.path] = member.mtime
                    self._compare_header(member, DIRECTORY_MODE)
                else:
                    yield ArchivedFile(f"{member.path}/", 0, member.mtime, None, iter(()))
            elif member.path == INDEX_PATH:
                data, self._index_bytes = self._index_bytes, b""
                yield self._from_memory(member, data)
                del data
                for path in sorted(self.signatures.keys() - self._head.signatures.keys()):
                    yield unlisted_file(path, self.signatures[path], member.mtime)
            elif member.path in self._head.signatures:
                yield self._from_memory(member, self._head.signatures[member.path])
            elif member.path == SUMS_PATH and self._head.sums is not None:
                self._compare_header(member, OWN_MODE)
                yield self._head.sums_file(member, checked)
            elif is_signature(member.path) and member.size <= MAX_SIGNATURE_BYTES:
                yield self._from_memory(member, b"".join(self._tar.content()))
            else:
                listed = checked.carried.get(member.path)
                if listed is not None:
                    self._compare_header(member, listed.mode)
                yield ArchivedFile(member.path, member.size, member.mtime, listed, self._tar.content())

    @property
    def missing_directories(self) -> list[str]:
        """The directories, as `path/`, that are no members; to be asked when all files were read."""
        return [f"{path}/" for path in sorted(self.checked.carried_directories - self.directory_dates.keys())]

    def _compare_header(self, member: TarMember, mode: int) -> None:
        if (fault := header_fault(member, mode)) is not None:
            self.faults.append((f"{member.path}/" if member.directory else member.path, fault))

    def _from_memory(self, member: TarMember, data: bytes) -> ArchivedFile:
        self._compare_header(member, OWN_MODE)
        return unlisted_file(member.path, data, member.mtime)


@contextmanager
def open_archive(path: Path | ArchiveFiles, *, own_form: bool = False) -> Iterator[ArchiveReader]:
    """Open an archive by its name, or by the name of one of its parts; or a pipe.

    Arguments:
        own_form: see `inflated`.

    Raises BundleFormatError (BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_FORMAT_NEWER), IntegrityError (BUNDLE_DAMAGED,
    BUNDLE_INCOMPLETE, ARCHIVE_UNSAFE), StorageError; on opening and while it is read.
    """
    files = as_files(path)
    with naming_bad_parts(files), _opened_archive(files, own_form=own_form) as reader:
        yield reader


@contextmanager
def _opened_archive(files: ArchiveFiles, *, own_form: bool) -> Iterator[ArchiveReader]:
    beside = detached_signatures(files)
    with inflated(files, own_form=own_form) as chunks:
        tar = TarReader(chunks, files.where)
        members = tar.members()
        earlier: list[TarMember] = []
        for member in members:
            if not member.directory:
                break
            earlier.append(member)
        else:
            raise not_found(files.where, tr("holds no bundle.json"))
        if member.path == INDEX_PATH:
            index = _read_index(tar, member, members, files.where)
            head, rest = read_head(tar, members, index.checked)
            reader = ArchiveReader(index, tar, chain(earlier, (member,), rest), head, beside)
            del index
            yield reader
            return
    index = _search_index(files)
    with inflated(files, own_form=own_form) as chunks:
        tar = TarReader(chunks, files.where)
        yield ArchiveReader(index, tar, tar.members(), ArchiveHead(), beside)


def _search_index(files: ArchiveFiles) -> _ReadIndex:
    """Find bundle.json anywhere in the archive."""
    if files.pipe is not None:
        raise invalid(
            files.where, tr("bundle.json is not its first file, so that it has to be read twice: save it first")
        )
    room = files.size * MAX_RATIO
    with inflated(files) as chunks:
        tar = TarReader(chunks, files.where)
        members = tar.members()
        for member in members:
            if member.path == INDEX_PATH and not member.directory:
                return _read_index(tar, member, members, files.where)
            room -= member.size
            if room < 0:
                raise unsafe(
                    files.where, tr("it expands without end before any bundle.json"), want="a bundle", got="a bomb"
                )
    raise not_found(files.where, tr("holds no bundle.json"))


def _read_index(tar: TarReader, member: TarMember, members: Iterator[TarMember], where: str) -> _ReadIndex:
    """Read bundle.json, the current member; where it is no index, SHA256SUMS tells whether it was one."""
    data = _index_bytes(tar, member, where)
    try:
        return _ReadIndex(check_index(data, where), data)
    except BundleFormatError as error:
        after = next(members, None)
        beside = after is not None and after.path == SUMS_PATH and after.size <= MAX_INDEX_BYTES
        raise refusal(error, data, b"".join(tar.content()) if beside else None) from error


def _index_bytes(tar: TarReader, member: TarMember, where: str) -> bytes:
    if member.size > MAX_INDEX_BYTES:
        raise unsafe(
            where,
            tr("its bundle.json is too large"),
            want=tr("at most {max_index_bytes}", max_index_bytes=MAX_INDEX_BYTES),
            got=str(member.size),
        )
    expect_text(member.size)
    return b"".join(tar.content())
