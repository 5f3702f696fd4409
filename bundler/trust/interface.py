"""What signing asks of whoever holds a private key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.model.digest import Digest
    from bundler.trust.trusted_key import TrustedKey


class Signer(Protocol):
    """A private key, wherever it lies."""

    @property
    def key(self) -> TrustedKey:
        """Its public half."""

    def sign(self, digest: Digest, text: Iterable[bytes]) -> bytes:
        """Return the signature of a text in DER.

        Arguments:
            digest: the text's SHA-256.
            text: its bytes in pieces, for whoever cannot do with the digest alone.

        Raises BundlerError.
        """
