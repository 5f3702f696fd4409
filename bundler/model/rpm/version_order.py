"""Which of two versions is newer, as RPM sees it. Pure; what may be installed is decided by libsolv, not here.

Follows rpm's rpmio/rpmvercmp.c and its manual, rpm-version(7).
"""

from __future__ import annotations

import re
from itertools import zip_longest

_PART = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def compare_versions(one: str, other: str) -> int:
    """Return -1 when the first is older, 1 when it is newer, 0 when RPM makes no difference between them."""
    for left, right in zip_longest(_PART.findall(one), _PART.findall(other), fillvalue=""):
        if order := _compare_parts(left, right):
            return order
    return 0


def compare_evr(one: str, other: str) -> int:
    """Do the same with `[epoch:]version[-release]`; a release counts where both have one, no epoch is epoch 0."""
    pairs = zip(_split(one), _split(other), strict=True)
    epoch, version, release = pairs
    if order := compare_versions(*epoch) or compare_versions(*version):
        return order
    return compare_versions(*release) if all(release) else 0


def _compare_parts(left: str, right: str) -> int:
    if left == right:
        return 0
    # a tilde is older than everything, also than the end; a caret is newer than the end and older than all else
    if "~" in (left, right):
        return -1 if left == "~" else 1
    if not left or not right:
        return 1 if left else -1
    if "^" in (left, right):
        return -1 if left == "^" else 1
    if left.isdigit() != right.isdigit():
        return 1 if left.isdigit() else -1
    if left.isdigit():
        left, right = left.lstrip("0"), right.lstrip("0")
        if len(left) != len(right):
            return 1 if len(left) > len(right) else -1
    return (left > right) - (left < right)


def _split(evr: str) -> tuple[str, str, str]:
    epoch, colon, rest = evr.partition(":")
    version, dash, release = (rest if colon else evr).rpartition("-")
    return epoch if colon else "0", version if dash else release, release if dash else ""
