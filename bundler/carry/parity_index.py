"""NAME.tar.gz.parity.json, and its copy at the head of each parity file: what is written, and what is left of it.

A bad sector may hit the index as well. Its header counts when its check does, whichever copy it is from; rows of sums
are put together from all copies of that set.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged
from bundler.carry.block_sums import MAX_ROW_BYTES, BlockSums, rows_bytes
from bundler.carry.medium_file import medium_file
from bundler.carry.parity_header import ParityHeader, decode_header
from bundler.carry.parity_layout import BLOCK_BYTES, blocks_in
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.json_listing import listing_pieces
from bundler.model.json_value import dump_pretty, load_strict
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LIST = b'\n  "sums": ['
MAX_HEADER_BYTES = 16 * 1024 * 1024
# how much more room than it needs an index may be given
MAX_SLACK_BYTES = 1024 * 1024
READ_BYTES = 1024 * 1024
# without an intact row over so many bytes a copy has ended
MAX_GAP_BYTES = 4 * READ_BYTES


@dataclass(frozen=True, slots=True)
class ParityIndex:
    """All that is known of a set: see `ParityHeader` and `BlockSums`."""

    header: ParityHeader
    sums: BlockSums

    def pieces(self) -> Iterator[bytes]:
        """Yield the index as it is written; every sum is known."""
        return listing_pieces(self.header.encode(), "sums", self.sums.rows())

    def require_block(self, number: int, block: bytes, what: str) -> None:
        """Raise IntegrityError (BUNDLE_DAMAGED) where a block differs from its sum, as far as that is known.

        Arguments:
            what: the block is, for a person.
        """
        want, got = self.sums[number], hashlib.sha256(block).digest()
        if want is not None and want != got:
            raise damaged(
                self.header.name, tr("{what} differs from its sum", what=what), want=want.hex(), got=got.hex()
            )

    def head_pieces(self) -> Iterator[bytes]:
        """Yield the head of a parity file: the index, and newlines up to the first block."""
        size = 0
        for piece in self.pieces():
            size += len(piece)
            yield piece
        yield b"\n" * (self.header.head_bytes - size)


def head_bytes(header: ParityHeader) -> int:
    """Return how much room an index with such a header takes, in whole blocks; `head_bytes` of it is not looked at."""
    # a number in it may have more digits in the end
    return blocks_in(_index_bytes(header) + 1024) * BLOCK_BYTES


def read_index(copies: Sequence[Path]) -> ParityIndex | None:
    """Put an index together; None where no copy has an intact header.

    Arguments:
        copies: NAME.tar.gz.parity.json, and parity files, as far as they are there.

    Raises BundleFormatError (BUNDLE_FORMAT_NEWER), StorageError.
    """
    headers = {path: _read_header(path) for path in copies}
    found = Counter(header for header in headers.values() if header is not None)
    if not found:
        return None
    header = found.most_common(1)[0][0]
    sums = BlockSums(header.layout.total)
    # a copy whose header cannot be read may be of another set: what the others say comes first
    for path in sorted(copies, key=lambda path: headers[path] is None):
        if sums.unknown and headers[path] in (header, None):
            _take_rows(path, sums)
    return ParityIndex(header, sums)


def not_protected(where: str, what: str) -> BundleFormatError:
    """Return the error for an archive that cannot be mended, for there is nothing to mend it with."""
    return BundleFormatError(
        ErrorId.PARITY_NOT_FOUND,
        what,
        where=where,
        remedy=tr("Bring the damaged parts again (`bundler verify --parts` lists them); parity is made with --parity."),
    )


def _index_bytes(header: ParityHeader) -> int:
    """Return about how many bytes an index takes: no less."""
    return len(dump_pretty(header.encode())) + rows_bytes(header.layout.total)


def _read_header(path: Path) -> ParityHeader | None:
    text = b""
    with medium_file(path) as file:
        while (at := text.find(_LIST)) < 0:
            piece = file.read_around_gaps(READ_BYTES, len(text))
            # a header has no zeros
            if not piece or b"\0" in text or len(text) > MAX_HEADER_BYTES:
                return None
            text += piece
    try:
        header = decode_header(load_strict(text[:at].rstrip(b",") + b"\n}"), str(path))
    except ValueError:
        return None
    slack = header.head_bytes - _index_bytes(header)
    return header if 0 <= slack <= MAX_SLACK_BYTES else None


def _take_rows(path: Path, sums: BlockSums) -> None:
    with medium_file(path) as file:
        offset = gap = 0
        rest = b""
        while gap < MAX_GAP_BYTES and (piece := file.read_around_gaps(READ_BYTES, offset)):
            text = rest + piece
            gap = 0 if sums.take_rows(text) else gap + len(piece)
            # a row may go on in the next piece; one that is taken twice does no harm
            rest = text[-MAX_ROW_BYTES:]
            offset += len(piece)
