"""Members of an archive -> files of a runtime: admits them to the store, and reads what they ask of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import ErrorId, SourceError
from bundler.kinds.runtime.elf import read_elf
from bundler.kinds.runtime.python_archive import mode_of
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.runtime_artifact import RuntimeFile, in_order
from bundler.translation import tr
from bundler.upstream_archive.members import list_members, read_members
from bundler.upstream_archive.stream import unsafe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from bundler.kinds.runtime.elf import ElfFile
    from bundler.store.interface import BlobStore


@dataclass(frozen=True, slots=True)
class Taken:
    """Files that were taken out of an archive, and the newest date of their members."""

    files: tuple[RuntimeFile, ...]
    date: int | None


def take_members(file: BinaryIO, landing: Mapping[str, str], store: BlobStore, where: str) -> Taken:
    """Admit members to the store and return them as files; raises as `read_members` does.

    Arguments:
        landing: name of a member -> path below the runtime's directory.
    """
    file.seek(0)
    files, dates = [], set()
    for member, chunks in read_members(file, tuple(landing), where=where):
        try:
            path = BundlePath(landing[member.name])
        except ValueError as error:
            raise unsafe(
                tr("the member {name!r} cannot be placed: {error}", name=member.name, error=error), where
            ) from error
        files.append(RuntimeFile(path, store.admit(chunks), mode_of(path)))
        dates.add(member.mtime)
    dated = [date for date in dates if date is not None and date >= 0]
    return Taken(in_order(files), max(dated, default=None))


def restore_members(file: BinaryIO, wanted: AbstractSet[Blob], store: BlobStore, where: str) -> None:
    """Admit whatever an archive holds of some blobs, under whatever names; what it has not is for the caller to miss.

    A lock lists what it wants by content, so that it does not matter how a later version would choose.
    """
    sizes = {blob.size for blob in wanted}
    names = [item.name for item in list_members(file, where=where) if not item.target and item.size in sizes]
    file.seek(0)
    for _, chunks in read_members(file, tuple(dict.fromkeys(names)), where=where):
        data = b"".join(chunks)
        if (blob := Blob.of(data)) in wanted and not store.has(blob):
            store.put(data)


def elf_files(files: Iterable[RuntimeFile], store: BlobStore, where: str) -> Mapping[str, ElfFile]:
    """Return path -> what it asks for, of those that are programs and libraries; SourceError (SOURCE_INVALID)."""
    found: dict[str, ElfFile] = {}
    for item in files:
        with store.path(item.content).open("rb") as file:
            try:
                elf = read_elf(file)
            except ValueError as error:
                raise SourceError(
                    ErrorId.SOURCE_INVALID,
                    tr("{path} is a damaged program or library: {error}", path=item.path, error=error),
                    where=where,
                    remedy=tr("Download it by hand and look at it; if it is damaged upstream, use another url."),
                ) from error
        if elf is not None:
            found[item.path] = elf
    return found
