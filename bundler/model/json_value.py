"""JSON as it is written to locks, bundles and answers: one type, one byte form, and typed reading of its values.

The one place where bytes become JSON: whoever wrote them, what goes wrong with them is a ValueError.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from bundler.translation import tr

# 64 bits and a sign take 20
MAX_NUMBER_CHARACTERS = 20
_TOO_DEEP = tr("it is nested too deep")
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def load_foreign(data: bytes | bytearray | str) -> Any:
    """Parse JSON that others wrote, as they write it; ValueError for whatever cannot be parsed, and nothing else.

    Nesting without end, and numbers of thousands of digits, are such; what else is odd is for the caller to judge.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def load_strict(data: bytes | bytearray) -> Any:
    """Parse JSON of a format of ours; ValueError for anything of which two readers might make different things.

    That is, beside what `load_foreign` refuses: another encoding than UTF-8, a byte order mark, a member that occurs
    twice (RFC 8259, 4 and 8.1), and strings that cannot be written again (half a surrogate pair).
    """
    text = bytes(data).decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError(tr("it begins with a byte order mark"))
    try:
        value = STRICT_DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    # only an escape can name half a pair
    if "\\u" in text:
        require_text(value)
    return value


def require_text(value: Any) -> None:
    """Raise ValueError for strings that cannot be written again."""
    try:
        dump_canonical(value)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(tr("the member {twice!r} occurs twice", twice=twice))
    return value


def _whole_number(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError(tr("a number of {count} characters is none", count=len(text)))
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(tr("{text} is too large a number", text=text[:MAX_NUMBER_CHARACTERS]))
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(tr("{text} is not JSON", text=text))


# what `load_strict` takes for JSON, and what `dump_pretty` makes of it
STRICT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole_number, parse_float=_number, parse_constant=_refuse_constant
)
PRETTY_ENCODER = json.JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)


def want_text(value: Any) -> str:
    """Return a JSON string; TypeError when it is anything else."""
    if not isinstance(value, str):
        raise TypeError(tr("{value!r} is not a string", value=value))
    return value


def want_count(value: Any) -> int:
    """Return a whole JSON number; TypeError when it is anything else, a negative number or a truth value included."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(tr("{value!r} is not a whole number", value=value))
    return value


def want_flag(value: Any) -> bool:
    """Return a JSON truth value; TypeError when it is anything else."""
    if not isinstance(value, bool):
        raise TypeError(tr("{value!r} is not a truth value", value=value))
    return value


def unreadable_words(error: Exception) -> str:
    """Return what a person is told when `load_strict`, or taking its value apart, has failed."""
    if isinstance(error, KeyError):
        return tr("{args!r} is missing", args=error.args[0])
    if isinstance(error, UnicodeDecodeError):
        return tr("it is not UTF-8 at byte {start}", start=error.start)
    if isinstance(error, json.JSONDecodeError):
        return tr(
            "no JSON at line {lineno}, column {colno}: {msg}", lineno=error.lineno, colno=error.colno, msg=error.msg
        )
    return str(error)


def dump_pretty(value: Json) -> bytes:
    """Return the deterministic, diff-friendly form: sorted keys, two spaces, UTF-8, final newline."""
    return (PRETTY_ENCODER.encode(value) + "\n").encode()


def dump_canonical(value: Json) -> bytes:
    """Return the shortest deterministic form, for fingerprints."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
