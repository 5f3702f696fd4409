"""A new pair of keys on the disk: `NAME.key`, which its owner alone may read, and `NAME.pem`, which travels."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.partial_file import replacing
from bundler.translation import tr
from bundler.trust.signing_key import new_signing_key

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.trust.trusted_key import TrustedKey

PRIVATE_SUFFIX, PUBLIC_SUFFIX = ".key", ".pem"
_PRIVATE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where a new pair lies, and its public half."""

    private: Path
    public: Path
    key: TrustedKey


def write_key_pair(stem: Path) -> KeyPair:
    """Make a pair of keys and write both, the private one last; nothing that is there is replaced.

    Arguments:
        stem: the path of both without their endings.

    Raises StorageError (KEY_EXISTS among them).
    """
    private, public = (stem.with_name(stem.name + suffix) for suffix in (PRIVATE_SUFFIX, PUBLIC_SUFFIX))
    # both are open before anything is written: two runs for one name wait for each other
    with replacing(private, mode=_PRIVATE_MODE) as put_private, replacing(public) as put_public:
        for path in (private, public):
            _require_absent(path)
        pair = new_signing_key(stem.name)
        put_public(pair.key.pem)
        put_private(pair.pem())
    return KeyPair(private, public, pair.key)


def _require_absent(path: Path) -> None:
    with storage_errors(path):
        if not os.path.lexists(path):
            return
    raise StorageError(
        ErrorId.KEY_EXISTS,
        tr("is there already, and a key that is lost is lost for good"),
        where=str(path),
        remedy=tr("Choose another name, or move this one away."),
    )
