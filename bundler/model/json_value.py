"""JSON as it is written to locks, bundles and answers: one type, one byte form, and typed reading of its values.

The one place where bytes become JSON: whoever wrote them, what goes wrong with them is a ValueError.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

# 64 bits and a sign take 20
MAX_NUMBER_CHARACTERS = 20
_TOO_DEEP = "it is nested too deep"
# RFC 8259, 2
_SPACE = re.compile(r"[ \t\n\r]*")
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def load_foreign(data: bytes | bytearray | str) -> Any:
    """Parse JSON that others wrote, as they write it; ValueError for whatever cannot be parsed, and nothing else.

    Nesting without end, and numbers of thousands of digits, are such; what else is odd is for the caller to judge.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def load_strict(data: bytes | bytearray, *, items: tuple[str, Callable[[Any], None]] | None = None) -> Any:
    """Parse JSON of a format of ours; ValueError for anything of which two readers might make different things.

    That is, beside what `load_foreign` refuses: another encoding than UTF-8, a byte order mark, a member that occurs
    twice (RFC 8259, 4 and 8.1), and strings that cannot be written again (half a surrogate pair).

    Arguments:
        items: a member of the outermost object and who takes the items of its list, one by one, so that they never are
            in memory together; the member itself then is an empty list.
    """
    text = bytes(data).decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    # only an escape can name half a pair
    check = _require_text if "\\u" in text else None
    try:
        value = json.loads(text, **_STRICT) if items is None else _Outermost(text, check, *items).read()
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if check is not None:
        check(value)
    return value


class _Outermost:
    """Reads one object, with the items of one of its lists handed on as they come.

    Arguments:
        check: what each item has to pass, None for nothing.
        member: whose items go to `take`.
    """

    def __init__(
        self, text: str, check: Callable[[Any], None] | None, member: str, take: Callable[[Any], None]
    ) -> None:
        self._text = text
        self._check = check
        self._member = member
        self._take = take
        self._decode = json.JSONDecoder(**_STRICT).raw_decode

    def read(self) -> Any:
        """Return the whole value; ValueError."""
        start = self._skip(0)
        if not self._text.startswith("{", start):
            return json.loads(self._text, **_STRICT)
        pairs: list[tuple[str, Any]] = []
        end = self._sequence(start, "}", lambda place: self._pair(place, pairs))
        if self._skip(end) != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, end)
        return _unique(pairs)

    def _sequence(self, start: int, closing: str, read: Callable[[int], int]) -> int:
        """Read what stands between two brackets, separated by commas; return the place behind the second one."""
        place = self._skip(start + 1)
        if self._text.startswith(closing, place):
            return place + 1
        while True:
            place = self._skip(read(place))
            if self._text.startswith(closing, place):
                return place + 1
            place = self._skip(self._expect(",", place))

    def _pair(self, start: int, pairs: list[tuple[str, Any]]) -> int:
        if not self._text.startswith('"', start):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, start)
        key, place = self._decode(self._text, start)
        place = self._skip(self._expect(":", self._skip(place)))
        if key == self._member and self._text.startswith("[", place):
            pairs.append((key, []))
            return self._sequence(place, "]", self._item)
        value, place = self._decode(self._text, place)
        pairs.append((key, value))
        return place

    def _item(self, start: int) -> int:
        item, end = self._decode(self._text, start)
        if self._check is not None:
            self._check(item)
        self._take(item)
        return end

    def _skip(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        return place if found is None else found.end()

    def _expect(self, character: str, place: int) -> int:
        if not self._text.startswith(character, place):
            raise json.JSONDecodeError(f"Expecting {character!r} delimiter", self._text, place)
        return place + 1


def _require_text(value: Any) -> None:
    try:
        dump_canonical(value)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the member {twice!r} occurs twice")
    return value


def _whole_number(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(f"a number of {len(text)} characters is none")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:MAX_NUMBER_CHARACTERS]} is too large a number")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_STRICT: dict[str, Any] = {
    "object_pairs_hook": _unique,
    "parse_int": _whole_number,
    "parse_float": _number,
    "parse_constant": _refuse_constant,
}


def want_text(value: Any) -> str:
    """Return a JSON string; TypeError when it is anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def want_count(value: Any) -> int:
    """Return a whole JSON number; TypeError when it is anything else, a negative number or a truth value included."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def want_flag(value: Any) -> bool:
    """Return a JSON truth value; TypeError when it is anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not a truth value")
    return value


def unreadable_words(error: Exception) -> str:
    """Return what a person is told when `load_strict`, or taking its value apart, has failed."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start}"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error)


def dump_pretty(value: Json) -> bytes:
    """Return the deterministic, diff-friendly form: sorted keys, two spaces, UTF-8, final newline."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def dump_canonical(value: Json) -> bytes:
    """Return the shortest deterministic form, for fingerprints."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
