"""Follow a rotation document: the new keys, the policy under which they count, and the old keys away, in this order.

A run that is cut short before the policy is there has changed nothing that counts; one that is cut short behind it
leaves files of keys that the policy does not name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.directory_walk import unlink_at
from bundler.durable import storage_errors
from bundler.partial_file import write_durably
from bundler.trust.rotation import (
    MAX_ROTATION_BYTES,
    RotationDocument,
    accepted_rotation,
    decode_rotation,
    encode_rotation,
)
from bundler.trust.signature_files import signatures_beside
from bundler.trust.trust_policy import TrustPolicy, encode_policy
from bundler.trust.trusted_directory import (
    KEY_SUFFIX,
    POLICY_NAME,
    TRUSTED_DIRECTORY,
    read_policy,
    read_public_key,
    read_trusted,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.trust.trusted_key import TrustedKey


@dataclass(frozen=True, slots=True)
class RotatedKeys:
    """What following a document has come to: the keys that count now, and those that do not any more."""

    document: RotationDocument
    dropped: tuple[TrustedKey, ...]


def rotate(path: Path, directory: Path = TRUSTED_DIRECTORY) -> RotatedKeys:
    """Follow the rotation document in a file, whose signatures lie beside it.

    Arguments:
        directory: of the trusted keys.

    Raises as `accepted_rotation` and `read_trusted` do, and StorageError.
    """
    trusted = read_trusted(directory)
    policy = read_policy(directory) if trusted.has_policy else TrustPolicy()
    data = read_rotation(path)
    document = accepted_rotation(
        data, signatures_beside(path), trusted=trusted, policy=policy, name=path.name, where=str(path)
    )
    there = _key_files(directory)
    for key in document.keys:
        if key not in there.values():
            write_durably(_free_path(directory, key, there), key.pem)
    write_durably(directory / POLICY_NAME, encode_policy(document.policy(policy)))
    for name, key in there.items():
        if key not in document.keys:
            with storage_errors(directory):
                unlink_at(directory / name)
    return RotatedKeys(document, tuple(key for key in trusted.keys if key not in document.keys))


def write_rotation(path: Path, document: RotationDocument) -> None:
    """Write a document for others to sign. Raises StorageError."""
    write_durably(path, encode_rotation(document))


def read_rotation(path: Path) -> bytes:
    """Return the bytes of a rotation document that can be followed. Raises as `decode_rotation` does, StorageError."""
    with storage_errors(path), path.open("rb") as stream:
        data = stream.read(MAX_ROTATION_BYTES)
    decode_rotation(data, str(path))
    return data


def _key_files(directory: Path) -> dict[str, TrustedKey]:
    with storage_errors(directory):
        names = sorted(path.name for path in directory.iterdir())
    return {name: read_public_key(directory / name) for name in names if name.endswith(KEY_SUFFIX) and name[0] != "."}


def _free_path(directory: Path, key: TrustedKey, there: dict[str, TrustedKey]) -> Path:
    """Return where a new key goes: under its own name, or under its id where another key has that name."""
    name = f"{key.name}{KEY_SUFFIX}"
    return directory / (name if key.name and name not in there else f"{key.id}{KEY_SUFFIX}")
