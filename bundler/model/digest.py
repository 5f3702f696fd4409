"""Content digests. Owns their text and JSON forms; refuses to read files (callers hash what they stream)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.model.json_value import want_count, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.json_value import Json

# what file systems and programs count in
MAX_SIZE = 2**63 - 1
HEX_LENGTH = {"sha256": 64, "sha512": 128}
# what can be forged, for bytes that something else vouches for; never part of a document of ours
WEAK_HEX_LENGTH = {"sha1": 40}
# of a digest that is a bundle's id, where people read it
ID_CHARACTERS = 12
# digests are many, and share the names
_ALGORITHMS = {name: name for name in HEX_LENGTH}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True, init=False)
class Digest:
    """A digest as the OCI image spec writes it, `ALGORITHM:HEX` (descriptor.md, "Digests").

    Held as bytes, half of its text: a large lock has hundreds of thousands. Their order is that of the text.

    Raises ValueError when the algorithm is unknown or the hex is not lower case of the right length.
    """

    algorithm: str
    value: bytes

    def __init__(self, algorithm: str, hexadecimal: str) -> None:
        length = HEX_LENGTH.get(algorithm) or WEAK_HEX_LENGTH.get(algorithm)
        if length is None:
            raise _unknown(algorithm)
        if len(hexadecimal) != length or not _HEX.fullmatch(hexadecimal):
            raise ValueError(
                tr("{hexadecimal!r} is not {length} lower-case hex digits", hexadecimal=hexadecimal, length=length)
            )
        object.__setattr__(self, "algorithm", algorithm)
        object.__setattr__(self, "value", bytes.fromhex(hexadecimal))

    @property
    def hex(self) -> str:
        """The digits."""
        return self.value.hex()

    @property
    def is_weak(self) -> bool:
        """Whether other bytes of the same digest can be made."""
        return self.algorithm in WEAK_HEX_LENGTH

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Parse `ALGORITHM:HEX`; ValueError when it is anything else, or weak."""
        algorithm, colon, hexadecimal = text.partition(":")
        if not colon:
            raise ValueError(tr("{text!r} is not a digest: want ALGORITHM:HEX", text=text))
        if algorithm not in HEX_LENGTH:
            raise _unknown(algorithm)
        return cls(_ALGORITHMS[algorithm], hexadecimal)

    @classmethod
    def sha256(cls, data: bytes) -> Digest:
        """Return the SHA-256 of bytes at hand."""
        return cls("sha256", hashlib.sha256(data).hexdigest())


def _unknown(algorithm: str) -> ValueError:
    return ValueError(
        tr(
            "unknown digest algorithm {algorithm!r}; known are {hex_length}",
            algorithm=algorithm,
            hex_length=", ".join(HEX_LENGTH),
        )
    )


@dataclass(frozen=True, slots=True, order=True)
class Blob:
    """Some bytes known by their SHA-256 and their size in bytes."""

    digest: Digest
    size: int

    def __post_init__(self) -> None:
        if self.digest.algorithm != "sha256":
            raise ValueError(tr("a blob is named by its sha256, not {algorithm}", algorithm=self.digest.algorithm))
        if not 0 <= self.size <= MAX_SIZE:
            raise ValueError(tr("a size cannot be {size}", size=self.size))

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """Return the blob that holds exactly these bytes."""
        return cls(Digest.sha256(data), len(data))

    def encode(self) -> dict[str, Json]:
        """Return the fields that name it in a lock: `digest` and `size`."""
        return {"digest": str(self.digest), "size": self.size}

    @classmethod
    def decode(cls, value: Any) -> Blob:
        """Read the fields that `encode` wrote; ValueError, KeyError or TypeError when they are something else."""
        return cls(Digest.parse(want_text(value["digest"])), want_count(value["size"]))
