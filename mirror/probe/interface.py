"""What the check asks of a protocol. Real clients are `http_client` and `ftp_client`; tests hand in their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from bundler.model.digest import Blob

# never a limit on a whole transfer
CONNECT_TIMEOUT_S = 10.0
IDLE_TIMEOUT_S = 60.0
CHUNK_BYTES = 256 * 1024


class MirrorLogin(NamedTuple):
    """A name and its password."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"MirrorLogin(name={self.name!r})"


@dataclass(frozen=True, slots=True)
class Reply:
    """A file on its way.

    Arguments:
        fields: the server's header fields about it, by lower-case name; none over FTP.
        chunks: its bytes.
    """

    fields: Mapping[str, str]
    chunks: Iterator[bytes]


class Disagreement(NamedTuple):
    """Two answers of a server about one file that do not fit each other."""

    want: str
    got: str


class MirrorClient(Protocol):
    """Fetches from one mirror; for several threads. Paths are those of the bundle.

    Every method raises SourceError: SOURCE_NOT_FOUND, SOURCE_BUSY (retryable), SOURCE_REFUSED, SOURCE_UNAUTHORIZED when
    the mirror answers so; SOURCE_UNREACHABLE, SOURCE_TIMEOUT, SOURCE_CUT (retryable), SOURCE_TLS when it does not.
    """

    def get(self, path: str) -> AbstractContextManager[Reply]:
        """Begin to fetch a file."""

    def disagreements(self, path: str, blob: Blob, last_byte: bytes, fields: Mapping[str, str]) -> list[Disagreement]:
        """Ask the same file in the other ways that the protocol has, and compare.

        Arguments:
            blob: what was fetched, and is right.
            last_byte: of it; b"" when it is empty.
            fields: that came with it.
        """

    def close(self) -> None:
        """Close all connections."""


class MirrorRegistryClient(Protocol):
    """Asks a container registry; for several threads. Paths begin with `v2/`. Raises what `MirrorClient` raises."""

    def get(self, path: str, accept: str = "") -> AbstractContextManager[Reply]:
        """Begin to fetch a document or a blob, in one of these media types."""

    def head(self, path: str, accept: str = "") -> Mapping[str, str]:
        """Return the registry's header fields about it, by lower-case name."""


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """Where a mirror's images can be pulled.

    Arguments:
        url: without a slash at its end.
        certain: whether there has to be a registry; else its absence is no fault.
    """

    url: str
    client: MirrorRegistryClient
    certain: bool
