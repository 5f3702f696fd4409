"""JSON as it is written to locks, bundles and answers: one type, one byte form, and typed reading of its values.

The one place where bytes become JSON: whoever wrote them, what goes wrong with them is a ValueError.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from bundler.translation import tr

# 64 bits and a sign take 20
MAX_NUMBER_CHARACTERS = 20
# far more than any document has; writing it again, or showing it, takes several calls a level
MAX_LEVELS = 128
# what stands for half a surrogate pair in what others wrote
REPLACED = "\ufffd"
_TOO_DEEP = tr("it is nested too deep")
_SPACE = re.compile(r"[ \t\n\r]*")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def load_foreign(data: bytes | bytearray | str) -> Any:
    """Parse JSON that others wrote, as they write it; ValueError for whatever cannot be parsed, and nothing else.

    Nesting without end is such; what else is odd is for the caller to judge. What could not be written again, or not be
    counted with, becomes what can: half a surrogate pair `REPLACED`, a number beyond those of a machine the last of
    these, and NaN null.
    """
    text = data if isinstance(data, str) else bytes(data).decode(json.detect_encoding(data), "surrogatepass")
    text = text.removeprefix("\ufeff")
    value, end = decode_one(text, 0, FOREIGN_DECODER)
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def decode_one(text: str, begin: int, decoder: json.JSONDecoder) -> tuple[Any, int]:
    """Parse the JSON value that begins there; return it, and where it and the white space after it end.

    Nothing in it is too deep or half a surrogate pair; raises ValueError.
    """
    begin = after_space(text, begin)
    try:
        value, end = decoder.raw_decode(text, begin)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    require_levels(value, text, begin, end)
    if "\\u" in text or _HALF_PAIR.search(text):
        value = _whole_pairs(value)
    return value, after_space(text, end)


def after_space(text: str, begin: int) -> int:
    """Return where white space of JSON (RFC 8259, 2) that begins there has ended."""
    found = _SPACE.match(text, begin)
    return begin if found is None else found.end()


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a part of such JSON that is to be a list of them; none of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


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
    require_levels(value, text)
    # only an escape can name half a pair
    if "\\u" in text:
        require_text(value)
    return value


def require_levels(value: Any, text: str, begin: int = 0, end: int | None = None) -> None:
    """Raise ValueError for a value of more than `MAX_LEVELS` lists and objects in each other.

    Arguments:
        text: it stands there from `begin` to before `end`.
    """
    if text.count("[", begin, end) + text.count("{", begin, end) <= MAX_LEVELS:
        return
    level = [value]
    for _ in range(MAX_LEVELS):
        level = [inner for outer in level if isinstance(outer, (dict, list)) for inner in _inner(outer)]
        if not level:
            return
    if any(isinstance(inner, (dict, list)) for inner in level):
        raise ValueError(_TOO_DEEP)


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _whole_pairs(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_PAIR.sub(REPLACED, value)
    if isinstance(value, list):
        return [*map(_whole_pairs, value)]
    if isinstance(value, dict):
        return {_whole_pairs(key): _whole_pairs(inner) for key, inner in value.items()}
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


def _bounded(text: str) -> int | float:
    if len(text) <= MAX_NUMBER_CHARACTERS and text.lstrip("-").isdecimal():
        return int(text)
    return max(-sys.float_info.max, min(sys.float_info.max, float(text)))


def _constant(text: str) -> float | None:
    return None if text == "NaN" else _bounded(text)


# what `load_strict` takes for JSON, and what `dump_pretty` makes of it
STRICT_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole_number, parse_float=_number, parse_constant=_refuse_constant
)
# what `load_foreign` takes
FOREIGN_DECODER = json.JSONDecoder(parse_int=_bounded, parse_float=_bounded, parse_constant=_constant)
# what a program takes for settings: as the strict one, but of members that occur twice the last counts
SETTINGS_DECODER = json.JSONDecoder(parse_int=_whole_number, parse_float=_number, parse_constant=_refuse_constant)
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
