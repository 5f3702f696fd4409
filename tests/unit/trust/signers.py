"""Keys for tests: one pair for each name, always the same, and signatures by them."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from bundler.model.digest import Digest
from bundler.trust.signing_key import SigningKey
from bundler.trust.trusted_keys import TrustedKeys

if TYPE_CHECKING:
    from pathlib import Path


@cache
def signer(name: str) -> SigningKey:
    """Return the key of somebody."""
    return SigningKey(
        derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 8, SECP256R1()), name
    )


def trusting(*names: str, threshold: int = 1, **more: object) -> TrustedKeys:
    """Return a host's trust in these."""
    return TrustedKeys(tuple(signer(name).key for name in names), threshold, where="trusted.d", **more)  # type: ignore[arg-type] # as given


def signature(name: str, data: bytes) -> bytes:
    """Return somebody's signature."""
    return signer(name).sign(Digest.sha256(data))


def written(directory: Path, name: str) -> tuple[Path, Path]:
    """Write somebody's pair of keys, and return the private and the public one."""
    private, public = directory / f"{name}.key", directory / f"{name}.pem"
    private.write_bytes(signer(name).pem())
    private.chmod(0o600)
    public.write_bytes(signer(name).key.pem)
    return private, public
