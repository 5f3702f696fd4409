"""/etc/bundler/trusted.d: the public keys that this host trusts (`*.pem`), and how (`policy.json`). Never writes.

What is there and cannot be read, or could have been written by others, is an error: a host that trusts some keys must
not behave like one that trusts none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.permissions import require_protected, require_protected_directory
from bundler.translation import tr
from bundler.trust.trust_policy import MAX_POLICY_BYTES, TrustPolicy, decode_policy, invalid_trust
from bundler.trust.trusted_key import MAX_KEY_BYTES, TrustedKey, parse_public_key
from bundler.trust.trusted_keys import NOBODY, TrustedKeys, distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TRUSTED_DIRECTORY = Path("/etc/bundler/trusted.d")
POLICY_NAME = "policy.json"
KEY_SUFFIX = ".pem"
MAX_KEYS = 1000


def read_trusted(directory: Path = TRUSTED_DIRECTORY) -> TrustedKeys:
    """Return whom this host trusts; nobody where the directory is absent or empty.

    Raises IntegrityError (KEY_INVALID), SiteError (TRUST_INVALID), StorageError (PERMISSIONS_TOO_OPEN among them).
    """
    with storage_errors(directory):
        try:
            names = sorted(path.name for path in directory.iterdir())
        except FileNotFoundError:
            return NOBODY
        require_protected_directory(directory, directory.stat())
    keys = [read_public_key(directory / name) for name in names if name.endswith(KEY_SUFFIX) and name[0] != "."]
    if len(keys) > MAX_KEYS:
        raise invalid_trust(
            str(directory),
            tr("holds {count} keys, and {max_keys} are enough for anybody", count=len(keys), max_keys=MAX_KEYS),
        )
    if POLICY_NAME not in names:
        return TrustedKeys(distinct(keys), where=str(directory))
    return under_policy(keys, read_policy(directory), directory)


def trusting_files(paths: Iterable[Path], directory: Path = TRUSTED_DIRECTORY) -> TrustedKeys:
    """Return whom this host trusts when somebody has named public keys by hand: one of those is enough.

    What the policy of the host says of names and of older releases stays. Raises as `read_trusted` does.
    """
    return read_trusted(directory).with_keys(map(read_public_key, paths), "--key")


def read_policy(directory: Path) -> TrustPolicy:
    """Return what policy.json says. Raises SiteError (TRUST_INVALID), StorageError."""
    path = directory / POLICY_NAME
    return decode_policy(_read(path, MAX_POLICY_BYTES), str(path))


def under_policy(keys: Sequence[TrustedKey], policy: TrustPolicy, directory: Path) -> TrustedKeys:
    """Return the keys that count, as a policy says. Raises SiteError (TRUST_INVALID) where it cannot be met."""
    where = str(directory / POLICY_NAME)
    there = {key.id: key for key in distinct(keys)}
    if missing := [key_id for key_id in policy.keys if key_id not in there]:
        raise invalid_trust(where, tr("names keys that are not there: {listed}", listed=", ".join(missing)))
    counting = tuple(key for key_id, key in there.items() if not policy.keys or key_id in policy.keys)
    if policy.threshold > len(counting):
        what = tr(
            "wants {threshold} signatures, and the keys that count are {count}",
            threshold=policy.threshold,
            count=len(counting),
        )
        raise invalid_trust(where, what)
    return TrustedKeys(counting, policy.threshold, policy.names, has_policy=True, where=str(directory))


def read_public_key(path: Path) -> TrustedKey:
    """Return the public key in a file, named after it. Raises IntegrityError (KEY_INVALID), StorageError."""
    return parse_public_key(_read(path, MAX_KEY_BYTES), where=str(path), name=path.stem)


def _read(path: Path, max_bytes: int) -> bytes:
    # a fifo would never end
    with storage_errors(path), os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        require_protected(path, os.fstat(stream.fileno()))
        return stream.read(max_bytes) or b""
