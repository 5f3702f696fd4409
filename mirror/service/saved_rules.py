"""The file that iptables-services restores at every start (iptables-restore(8)): where our lines go in it. Pure.

The whole of the rules in force is never saved into it: Docker's and kube-proxy's would be restored as if they were
the operator's own.
"""

from __future__ import annotations

from bundler.host.marked_lines import Place, marks_of
from bundler.translation import tr

MARKS = marks_of("kubeedge-mirror")
_TABLE = "*filter"


def _in_filter_table(kept: list[str], block: list[str]) -> list[str]:
    """Put the block behind the chains of the filter table, before its first rule."""
    if _TABLE not in kept:
        return [*kept, _TABLE, *block, "COMMIT"]
    place = kept.index(_TABLE) + 1
    while place < len(kept) and kept[place].startswith((":", "#")):
        place += 1
    return [*kept[:place], *block, *kept[place:]]


IN_FILTER_TABLE = Place(tr("in its filter table"), _in_filter_table)
