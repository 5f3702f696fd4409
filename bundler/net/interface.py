"""What the kinds ask of the network; `download.py` and `registry.py` implement it, tests have their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from bundler.model.digest import Blob, Digest
    from bundler.model.progress import Task
    from bundler.model.reference import Reference


@dataclass(frozen=True, slots=True)
class Credentials:
    """What authenticates a request; its repr shows no secret."""

    username: str
    secret: str = field(repr=False)


class Answer(Protocol):
    """One HTTP answer whose body is still on the wire."""

    @property
    def status(self) -> int:
        """Its status code."""

    @property
    def url(self) -> str:
        """Where it came from after redirects, for messages: user info and query secrets removed."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its fields, looked up without regard to case."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, transfer codings removed; SourceError (retryable) when it is cut or stalls."""

    def read(self, max_bytes: int) -> bytes:
        """Return the whole body; SourceError when it is longer than that."""


class Transport(Protocol):
    """HTTP and TLS, proxies from the environment, no policy: every status is an answer, not an error."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | None = None,
    ) -> AbstractContextManager[Answer]:
        """Send one request, following redirects (credentials, an Authorization field and a body never travel to
        another host).

        Raises SourceError: unreachable, TLS failure (with the issuer seen), time-out of connect or of a silent peer.
        """


class Sink(Protocol):
    """A partial file that survives an interruption; the store's `Incoming` is one."""

    @property
    def offset(self) -> int:
        """Bytes that it holds already."""

    @property
    def validator(self) -> str:
        """The strong ETag or the HTTP date that came with them, for If-Range (over FTP: date and size); "" for none."""

    def restart(self, validator: str) -> None:
        """Drop what it holds and remember the validator of what is about to come."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises StorageError when the disk is full."""


@dataclass(frozen=True, slots=True)
class Received:
    """A finished download. `last_modified` in seconds since the epoch; `via` is a mirror's prefix or ""."""

    size: int
    last_modified: int | None
    via: str


@dataclass(frozen=True, slots=True)
class Document:
    """A small answer, held in memory."""

    data: bytes
    last_modified: int | None
    via: str


class Downloader(Protocol):
    """Plain files over http, https, ftp and file."""

    def download(self, urls: Sequence[str], sink: Sink, task: Task, *, size: int | None = None) -> Received:
        """Bring a file into the sink, resuming what it holds.

        Each url is tried through the mirrors first, then itself; then the next url. Retries with backoff; a url that
        keeps failing gives way to the next. The error raised is the last url's.

        Arguments:
            urls: absolute http, https, ftp or file URLs, the preferred one first.
            size: the pinned size in bytes; an upstream that announces another is refused at once as IntegrityError.

        Raises SourceError, IntegrityError, StorageError (from the sink).
        """

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the bytes that a download of these urls would have by HEAD, or None when no upstream tells.

        Raises SourceError when the last of them cannot be reached or does not exist.
        """

    def read(self, url: str, *, max_bytes: int) -> Document:
        """Return a small document (a checksum file); SourceError when it is longer than `max_bytes`."""


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """A manifest or index as the registry gave it; `digest` is the SHA-256 of `data`."""

    media_type: str
    data: bytes
    digest: Digest
    via: str


class RegistryReader(Protocol):
    """The pull side of an OCI registry (distribution spec 1.1, "Pull")."""

    def manifest(self, reference: Reference) -> RemoteManifest:
        """Return the manifest or index that the reference names (by digest where it has one, checked).

        Raises SourceError, IntegrityError (bytes are not the digest's).
        """

    def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
        """Bring a blob into the sink from the first repository that has it; returns the mirror's prefix or ""."""
