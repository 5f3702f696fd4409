"""The signatures that lie beside a file: found. Owns which name a new one gets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.model.signature_name import (
    MAX_SIGNATURE_BYTES,
    MAX_SIGNATURES,
    first_name,
    further_name,
    signer_named,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bundler.model.digest import Digest
    from bundler.trust.trusted_key import TrustedKey


def signatures_beside(path: Path) -> dict[str, bytes]:
    """Return the signatures of a file that lie in its directory, by their names; what is too large for one is none.

    None are found where the directory is not there or may not be listed. Raises StorageError.
    """
    found: dict[str, bytes] = {}
    with storage_errors(path.parent):
        for name in _names(path):
            if len(found) < MAX_SIGNATURES and (data := _small(path.with_name(name))) is not None:
                found[name] = data
    return found


def _names(path: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    return [name for name in names if signer_named(name, path.name) is not None]


def _small(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(MAX_SIGNATURE_BYTES + 1)
    return data if data is not None and len(data) <= MAX_SIGNATURE_BYTES else None


def name_for(signed: str, key: TrustedKey, digest: Digest, there: Mapping[str, bytes]) -> str:
    """Return the name of a key's signature of a file: that of the one which it has there, or else the first free one.

    Arguments:
        signed: the file's name.
        digest: its SHA-256.
        there: the signatures that it has, by their names.
    """
    first = first_name(signed)
    if first not in there or key.verifies(digest, there[first]):
        return first
    return further_name(signed, key.id)
