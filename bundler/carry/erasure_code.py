"""The code that makes parity, and gives lost blocks back: Reed-Solomon over GF(2^8), by pyeclib (docs/adr/0050).

Systematic: data stay as they are. Byte i of parity row r is the sum over all data rows j of byte i times the inverse of
r xor j, where r counts on from the data rows: a Cauchy matrix, over the polynomial 0x11d. What pyeclib puts before each
of its fragments is taken off here, and put on again from those of zeros, which are the same for all rows of one length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.errors import ToolMissingError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CODE_NAME = "reed-solomon-cauchy-gf256-11d"
_HEADER_BYTES = 80
# what all rows of a group have of one slice fits into a core's own cache: five times as quick as whole blocks
SLICE_BYTES = 4096


def _driver_class() -> Any:
    """Load the library, which few commands need."""
    try:
        from pyeclib.ec_iface import ECDriver
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        # a carried runtime brings the library, and nothing that every Linux distribution has
        raise ToolMissingError(
            str(error).partition(":")[0],
            package=tr("zlib from this system's packages (zlib1g with Debian), or run this on another host"),
            needed_for=tr("parity"),
        ) from error
    return ECDriver


class ErasureCode:
    """One code, for groups of so many rows."""

    def __init__(self, data_rows: int, parity_rows: int) -> None:
        """Open the library. Raises ToolMissingError where this host lacks what that is linked with."""
        self._driver = _driver_class()(k=data_rows, m=parity_rows, ec_type="isa_l_rs_cauchy")
        self._data_rows = data_rows
        self._headers: dict[int, list[bytes]] = {}

    def parity(self, rows: Sequence[bytes | memoryview]) -> list[bytes]:
        """Return the parity rows of all data rows, which have one length."""
        views = [memoryview(row) for row in rows]
        slices: list[list[bytes]] = []
        for at in range(0, len(views[0]), SLICE_BYTES):
            fragments = self._driver.encode(b"".join([view[at : at + SLICE_BYTES] for view in views]))
            slices.append([fragment[_HEADER_BYTES:] for fragment in fragments[self._data_rows :]])
        return [b"".join(row) for row in zip(*slices, strict=True)]

    def data(self, rows: Mapping[int, bytes]) -> bytes:
        """Return all data rows, one after the other.

        Arguments:
            rows: at least as many rows as there are data rows, of either kind, by their number.
        """
        headers = self._headers_of(len(next(iter(rows.values()))))
        wanted = sorted(rows)[: self._data_rows]
        restored: bytes = self._driver.decode([headers[row] + rows[row] for row in wanted])
        return restored

    def _headers_of(self, row_bytes: int) -> list[bytes]:
        if row_bytes not in self._headers:
            fragments = self._driver.encode(bytes(row_bytes * self._data_rows))
            self._headers[row_bytes] = [fragment[:_HEADER_BYTES] for fragment in fragments]
        return self._headers[row_bytes]
