"""JSON as it is written to locks, bundles and answers: one type, one byte form, and typed reading of its values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def load_strict(data: bytes) -> Any:
    """Parse JSON whose strings can be written again; ValueError for anything else, lone surrogates included."""
    value = json.loads(data)
    dump_canonical(value)
    return value


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
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error)


def dump_pretty(value: Json) -> bytes:
    """Return the deterministic, diff-friendly form: sorted keys, two spaces, UTF-8, final newline."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def dump_canonical(value: Json) -> bytes:
    """Return the shortest deterministic form, for fingerprints."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
