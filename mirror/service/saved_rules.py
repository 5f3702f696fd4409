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


def with_block(text: str, lines: Sequence[str]) -> str:
    """Return the file with our lines behind the chains of its filter table, before the first rule."""
    kept = without_block(text).splitlines()
    block = [BEGIN, *lines, END]
    if _TABLE not in kept:
        return "\n".join([*kept, _TABLE, *block, "COMMIT", ""])
    place = kept.index(_TABLE) + 1
    while place < len(kept) and kept[place].startswith((":", "#")):
        place += 1
    return "\n".join([*kept[:place], *block, *kept[place:], ""])


def without_block(text: str) -> str:
    """Return the file without our lines."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        if line == BEGIN:
            inside = True
        if not inside:
            kept.append(line)
        if line == END:
            inside = False
    return "\n".join([*kept, ""]) if kept else ""
