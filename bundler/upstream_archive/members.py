"""Takes wanted members out of upstream archives: tar (plain, gzip, bzip2, xz, zstd) and zip, told apart by content.

Owns their safe, bounded reading; writes nothing: whoever asks gets the bytes of one member after the other and admits
them to the store. Names that leave the archive condemn the whole of it; links, devices and sparse files are never
followed or made, and matter only when they are wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from bundler.upstream_archive.selection import ListedMember, Member, MemberListing, Selection
from bundler.upstream_archive.stream import MemberLimits, read_some
from bundler.upstream_archive.tar import tar_members
from bundler.upstream_archive.zip import ZIP_MAGIC, zip_members

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMITS = MemberLimits()
# a tar's first header
HEAD_BYTES = 512


def read_members(
    file: BinaryIO, wanted: Sequence[str], *, where: str, limits: MemberLimits = LIMITS
) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield every wanted member with its bytes, in the order of the archive.

    A member's bytes are gone once the next member is asked for, and the iterator has to be used up whole: what is
    wrong with the archive as a whole, a missing member included, is only known at its end.

    Arguments:
        file: the archive, seekable, at its start.
        wanted: names of members, and directories with a slash at the end; `./` is everything.
        where: the archive's URL, for messages.

    Raises SourceError (damaged, cut short, encrypted, not an archive; unsafe: names that leave the archive, wanted
    links and devices, a wanted name that occurs twice, a size that lies, a bomb), ManifestError (MEMBER_MISSING),
    StorageError, ToolMissingError (zstd).
    """
    selection = Selection(tuple(wanted), where, limits)
    yield from _members(file, selection)
    selection.require_all()


def list_members(file: BinaryIO, *, where: str, limits: MemberLimits = LIMITS) -> tuple[ListedMember, ...]:
    """Return the files and links of an archive in its order, for who has to choose by names; raises as above."""
    listing = MemberListing((), where, limits)
    for _ in _members(file, listing):
        raise AssertionError("a listing wants no member")
    return tuple(listing.listed)


def _members(file: BinaryIO, selection: Selection) -> Iterator[tuple[Member, Iterator[bytes]]]:
    head = read_some(file, HEAD_BYTES, selection.where)
    if head.startswith(ZIP_MAGIC):
        yield from zip_members(file, selection)
    else:
        yield from tar_members(file, head, selection)
