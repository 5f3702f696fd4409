"""The Range field (RFC 9110, 14.1.2 and 14.2): which bytes of a file are wanted. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

# clients that resume ask for one, those that repair for a few; more is an attack (RFC 9110, 17.15)
MAX_RANGES = 32
_SPEC = re.compile(r"(?:([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19}))")


class Span(NamedTuple):
    """Bytes of a file, from `start` up to and without `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stop - self.start


def wanted_spans(field: str, size: int) -> list[Span] | None:
    """Return the spans that a Range field asks of a file, or None when the field is to be ignored.

    Arguments:
        size: of the file, in bytes.

    An empty list means that none can be had (416). Spans that touch or overlap become one, and with them their order
    by position; others keep the client's. Another unit, a malformed field and too many ranges are ignored.
    """
    unit, equals, specs = field.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    asked = [spec.strip(" \t") for spec in specs.split(",") if spec.strip(" \t")]
    if not asked or len(asked) > MAX_RANGES:
        return None
    spans: list[Span] = []
    for spec in asked:
        match = _SPEC.fullmatch(spec)
        if match is None:
            return None
        first, last, suffix = match.groups()
        if first is not None and last and int(last) < int(first):
            return None
        span = _span(first, last, suffix, size)
        if span is not None:
            spans.append(span)
    return _merged(spans)


def _span(first: str | None, last: str, suffix: str | None, size: int) -> Span | None:
    if first is None:
        length = min(int(suffix or 0), size)
        return Span(size - length, size) if length else None
    start = int(first)
    if start >= size:
        return None
    return Span(start, min(int(last) + 1, size) if last else size)


def _merged(spans: list[Span]) -> list[Span]:
    ordered = sorted(spans)
    merged: list[Span] = []
    for span in ordered:
        if merged and span.start <= merged[-1].stop:
            merged[-1] = Span(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    return spans if len(merged) == len(spans) else merged
