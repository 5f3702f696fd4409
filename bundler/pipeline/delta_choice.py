"""Which paths a delta leaves to its bases. Pure: placements and bases in, marks out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive.delta_marks import NO_MARKS, DeltaMarks
from bundler.archive.member_order import member_date, newest_date
from bundler.model.bundle_path import BundlePath
from bundler.model.delta_mark import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.placement import Placement
    from bundler.pipeline.bases import Bases

# what a person, or a program without its bases, begins with
ALWAYS_CARRIED = frozenset({BundlePath("install.sh")})


def delta_marks(placements: Sequence[Placement], bases: Bases, date_cap: int | None) -> DeltaMarks:
    """Return the marks of all paths whose content a base vouches for; the bundle's own files are always carried.

    Arguments:
        placements: everything that the kinds have placed.
        date_cap: newest date that any member may have, in seconds since the epoch, or None.
    """
    if not bases.opened:
        return NO_MARKS
    newest = newest_date(placements, date_cap)
    marks: dict[str, Mark] = {
        file.path: Mark(number, member_date(file, newest, date_cap))
        for file in placements
        if file.path not in ALWAYS_CARRIED and (number := bases.number_of(file.blob)) is not None
    }
    return DeltaMarks(tuple(base.base for base in bases.opened), marks)
