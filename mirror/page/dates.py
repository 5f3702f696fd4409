"""Dates as the page writes them: UTC, for every reader the same. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_LATEST_S = 253402300799  # the last second of the year 9999


def minute(seconds: int) -> str:
    """Return seconds since the epoch as `2022-08-11 09:12`; what no calendar holds becomes its first or last minute."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LATEST_S), UTC).strftime("%Y-%m-%d %H:%M")
