"""Names of signatures: FILE.sig for the first one, FILE.sig.KEYID for further ones (docs/design.md, 6). Pure."""

from __future__ import annotations

import re

KEY_ID_CHARACTERS = 16
# a signature of ECDSA on P-256 has 72 bytes at most; what is longer by far is none, whatever else it may be
MAX_SIGNATURE_BYTES = 64 * 1024
# more signers than any bundle has; further ones are not looked at
MAX_SIGNATURES = 64
_ENDING = re.compile(rf"\.sig(?:\.(?P<key_id>[0-9a-f]{{{KEY_ID_CHARACTERS}}}))?")


def signer_named(name: str, signed: str) -> str | None:
    """Return the id of the key that a signature of a file is named after; "" for the first one, None for no signature.

    Arguments:
        name: of what may be a signature.
        signed: the file that would be signed by it.
    """
    match = _ENDING.fullmatch(name.removeprefix(signed)) if name.startswith(signed) else None
    return None if match is None else match["key_id"] or ""


def first_name(signed: str) -> str:
    """Return the name of the first signature of a file."""
    return f"{signed}.sig"


def further_name(signed: str, key_id: str) -> str:
    """Return the name of a further signature of a file."""
    return f"{signed}.sig.{key_id}"
