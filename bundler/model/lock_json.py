"""The small pieces that every kind's artifacts are made of in the lock: typed reading of JSON, and blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.model.digest import Blob, Digest

if TYPE_CHECKING:
    from bundler.model.json_value import Json


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


def encode_blob(blob: Blob) -> dict[str, Json]:
    """Return the fields that name a blob: `digest` and `size` (bytes)."""
    return {"digest": str(blob.digest), "size": blob.size}


def decode_blob(value: Any) -> Blob:
    """Read what `encode_blob` wrote; ValueError, KeyError or TypeError when it is something else."""
    return Blob(Digest.parse(want_text(value["digest"])), want_count(value["size"]))
