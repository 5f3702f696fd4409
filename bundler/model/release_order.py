"""Which of two releases is the newer one, as RPM tells versions (rpm's rpmvercmp.c). Pure."""

from __future__ import annotations

import re
from itertools import zip_longest

# whatever else stands between them only separates
_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+")


def is_older(release: str, other: str) -> bool:
    """Tell whether a release is older than another; one that is empty is older than any that is not.

    Segments of digits are compared as numbers, of letters by their bytes; digits are newer than letters, and of two
    that begin alike the longer one is the newer. `~` and `^`, which mean more to RPM, are in no release of ours.
    """
    for ours, theirs in zip_longest(_SEGMENT.findall(release), _SEGMENT.findall(other), fillvalue=""):
        if ours != theirs and _rank(ours) != _rank(theirs):
            return _rank(ours) < _rank(theirs)
    return not release and bool(other)


def _rank(segment: str) -> tuple[int, int, str]:
    if not segment:
        return (0, 0, "")
    return (2, int(segment), "") if segment.isdigit() else (1, 0, segment)
