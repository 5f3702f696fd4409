"""Dates as HTTP writes them (RFC 9110, 5.6.7) and as the page does: always UTC, for every reader the same. Pure."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# the last one that `datetime` can hold
_LAST_S = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(seconds: float) -> str:
    """Return an IMF-fixdate of seconds since the epoch; no locale has a say in it."""
    at = time.gmtime(seconds)
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday:02d} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04d} "
        f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} GMT"
    )


def parse_http_date(text: str) -> int | None:
    """Return seconds since the epoch of any of the three forms of RFC 9110, or None for what is none of them."""
    try:
        found = parsedate_to_datetime(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def minute(seconds: int) -> str:
    """Return seconds since the epoch as `2022-08-11 09:12`; what no calendar holds becomes its first or last minute."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_S), UTC).strftime("%Y-%m-%d %H:%M")
