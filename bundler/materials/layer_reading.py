"""One layer, read once from start to end: what it says of packages and of the system. Constant memory but for those."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.materials.chunk_file import open_chunks
from bundler.materials.databases import OS_RELEASE_PATHS, reader_of
from bundler.materials.layer_selection import LayerSelection
from bundler.materials.os_package import OsPackage, OsRelease, UnreadableDatabaseError, read_os_release
from bundler.upstream_archive.stream import MemberLimits
from bundler.upstream_archive.tar import tar_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LIMITS = MemberLimits(members=5_000_000)
# far more than any image has
MAX_PACKAGES = 50_000
# a tar's first header
_HEAD_BYTES = 512
# what the whole layer is called among the paths that were not read
WHOLE = ""
# a bill is the same in every language: what the error says stays out of it
_REASONS = {
    ErrorId.SOURCE_INVALID: "is damaged, cut short or no tar",
    ErrorId.SOURCE_ARCHIVE_UNSAFE: "asks for more than an honest layer does: a bomb, or headers without end",
}


@dataclass(frozen=True, slots=True)
class LayerContent:
    """What one layer says.

    Arguments:
        packages: path of a database -> what is in it.
        releases: path of an os-release file -> what it says.
        unread: path -> why it was not read; `WHOLE` for what is wrong with the layer.
        hidden, emptied: see `LayerSelection`.
    """

    packages: Mapping[str, tuple[OsPackage, ...]] = field(default_factory=dict)
    releases: Mapping[str, OsRelease] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()


def read_layer(chunks: Iterable[bytes | memoryview], *, where: str) -> LayerContent:
    """Read a layer: a tar, compressed or not; whatever is wrong with it is in the value, and no error.

    Arguments:
        chunks: its bytes, read to their end. Errors of whoever gives them pass through.
        where: its path in the bundle.

    Raises ToolMissingError (a layer in zstd before Python 3.14 without backports.zstd, an RPM database without SQLite).
    """
    rest = iter(chunks)
    selection = LayerSelection((), where, LIMITS)
    packages: dict[str, tuple[OsPackage, ...]] = {}
    releases: dict[str, OsRelease] = {}
    try:
        for name, data in _telling_files(rest, selection):
            if name in OS_RELEASE_PATHS:
                releases[name] = read_os_release(data)
            elif (reader := reader_of(name)) is not None:
                try:
                    packages[name] = _bounded(reader(data))
                except UnreadableDatabaseError as error:
                    selection.unread[name] = str(error)
    except SourceError as error:
        selection.unread[WHOLE] = _REASONS.get(error.id, "cannot be read")
    for _ in rest:
        pass
    return LayerContent(
        {path: found for path, found in packages.items() if path not in selection.unread},
        releases,
        selection.unread,
        frozenset(selection.hidden),
        frozenset(selection.emptied),
    )


def _telling_files(chunks: Iterator[bytes | memoryview], selection: LayerSelection) -> Iterator[tuple[str, bytearray]]:
    """Yield path and content of each file that tells something."""
    file = open_chunks(chunks)
    for member, content in tar_members(file, file.read(_HEAD_BYTES), selection):
        data = bytearray()
        for piece in content:
            data += piece
        yield member.name, data


def _bounded(packages: Iterator[OsPackage]) -> tuple[OsPackage, ...]:
    found: list[OsPackage] = []
    for package in packages:
        found.append(package)
        if len(found) > MAX_PACKAGES:
            raise UnreadableDatabaseError(f"tells of more than {MAX_PACKAGES:,} packages")
    return tuple(found)
