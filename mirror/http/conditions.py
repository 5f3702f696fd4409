"""Preconditions (RFC 9110, 13): whether a request gets the file, a part of it, or only word of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror.dates import parse_http_date
from mirror.http.ranges import Span, wanted_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.tree.served import File


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to answer: 200, 206 with the spans, 304, 412 or 416."""

    status: int
    spans: tuple[Span, ...] = ()


_WHOLE = Verdict(200)


def judge(fields: Mapping[bytes, str], file: File) -> Verdict:
    """Evaluate a GET or HEAD request's preconditions in the order of RFC 9110, 13.2.2."""
    match, none_match = fields.get(b"if-match"), fields.get(b"if-none-match")
    if match is not None:
        if not _lists(match, file.etag, weak=False):
            return Verdict(412)
    elif (unmodified := _date(fields, b"if-unmodified-since")) is not None and file.modified_s > unmodified:
        return Verdict(412)
    if none_match is not None:
        if _lists(none_match, file.etag, weak=True):
            return Verdict(304)
    elif (since := _date(fields, b"if-modified-since")) is not None and file.modified_s <= since:
        return Verdict(304)
    wanted = fields.get(b"range")
    if wanted is None or not _if_range_holds(fields.get(b"if-range"), file):
        return _WHOLE
    spans = wanted_spans(wanted, file.size)
    if spans is None:
        return _WHOLE
    return Verdict(206, tuple(spans)) if spans else Verdict(416)


def _date(fields: Mapping[bytes, str], name: bytes) -> int | None:
    text = fields.get(name)
    return None if text is None else parse_http_date(text)


def _if_range_holds(validator: str | None, file: File) -> bool:
    """Tell whether a part may be sent: only when what the client has is surely the same (RFC 9110, 13.1.5).

    A weak tag never matches, and ours are strong. A date is none of either sort here: it is the source's own, or one
    for all files of a bundle, so the file of another bundle may well have the same (RFC 9110, 8.8.2.2).
    """
    return validator is None or validator.strip() == file.etag


def _lists(field: str, etag: str, *, weak: bool) -> bool:
    """Tell whether a list of tags names this one, or is `*`. Tags of ours hold no comma."""
    if field.strip() == "*":
        return True
    tags = (tag.strip() for tag in field.split(","))
    return any(tag == etag or (weak and tag.removeprefix("W/") == etag) for tag in tags)
