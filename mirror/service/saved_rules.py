"""The file that iptables-services restores at every start (iptables-restore(8)): our lines in, our lines out. Pure.

The whole of the rules in force is never saved into it: Docker's and kube-proxy's would be restored as if they were
the operator's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN, END = "# kubeedge-mirror: begin", "# kubeedge-mirror: end"
_TABLE = "*filter"


def with_block(content: bytes, lines: Sequence[str]) -> bytes:
    """Return the file with our lines behind the chains of its filter table, before the first rule."""
    kept = _without(_lines(content))
    block = [BEGIN, *lines, END]
    if _TABLE not in kept:
        return _joined([*kept, _TABLE, *block, "COMMIT"])
    place = kept.index(_TABLE) + 1
    while place < len(kept) and kept[place].startswith((":", "#")):
        place += 1
    return _joined([*kept[:place], *block, *kept[place:]])


def without_block(content: bytes) -> bytes:
    """Return the file without our lines; a beginning whose end is gone stays, for what follows is the operator's."""
    return _joined(_without(_lines(content)))


def _without(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    began: int | None = None
    for line in lines:
        if line == BEGIN:
            began = len(kept)
        kept.append(line)
        if line == END and began is not None:
            del kept[began:]
            began = None
    return kept


# comments may be in any encoding
def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").splitlines()


def _joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
