"""Directories as text: LIST as /bin/ls writes it, NLST, and MLSD (RFC 3659, 7). Pure; gives chunks, not one string."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from mirror.ftp.command_lines import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from mirror.tree.served import Entry

FACTS = ("type", "perm", "size", "modify")
_LINES_OF_A_CHUNK = 500
# /bin/ls shows the year instead of the time of what is older, or lies ahead
_RECENT_S = 180 * 24 * 3600
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def fact_time(seconds: float) -> str:
    """Return a time as MDTM and MLSD show it: UTC, YYYYMMDDHHMMSS (RFC 3659, 2.3)."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def list_line(entry: Entry, directory_s: int, now_s: float) -> str:
    """Return one line of LIST.

    Arguments:
        directory_s: the date of directories in it, in seconds since the epoch.
        now_s: decides between time and year.
    """
    file = entry.file
    seconds = directory_s if file is None else file.modified_s
    date = time.gmtime(seconds)
    old = not now_s - _RECENT_S < seconds <= now_s
    when = f"{date.tm_year:5}" if old else f"{date.tm_hour:02}:{date.tm_min:02}"
    mode, links, size = ("dr-xr-xr-x", 2, 4096) if file is None else ("-r--r--r--", 1, file.size)
    day = f"{_MONTHS[date.tm_mon - 1]} {date.tm_mday:2}"
    return f"{mode} {links:3} ftp      ftp      {size:12} {day} {when} {entry.name}\r\n"


def name_line(entry: Entry) -> str:
    """Return one line of NLST."""
    return f"{entry.name}\r\n"


def fact_line(entry: Entry, directory_s: int, facts: Collection[str]) -> str:
    """Return one line of MLSD or MLST.

    Arguments:
        directory_s: the date of directories in it, in seconds since the epoch.
        facts: which of FACTS the client wants (OPTS MLST).
    """
    file = entry.file
    if file is None:
        known = {"type": "dir", "perm": "el", "modify": fact_time(directory_s)}
    else:
        known = {"type": "file", "perm": "r", "size": str(file.size), "modify": fact_time(file.modified_s)}
    shown = "".join(f"{fact}={known[fact]};" for fact in FACTS if fact in facts and fact in known)
    return f"{shown} {entry.name}\r\n"


def chunks(entries: Iterable[Entry], line: Callable[[Entry], str]) -> Iterator[bytes]:
    """Yield the lines of a listing, many at a time; a name that would break a line is left out."""
    lines = (line(entry) for entry in entries if is_plain(entry.name))
    while gathered := "".join(islice(lines, _LINES_OF_A_CHUNK)):
        yield gathered.encode("utf-8", "surrogateescape")
