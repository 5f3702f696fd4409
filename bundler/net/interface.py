"""What the kinds and `push` need of the network, as Protocols: `files/`, `registry/` and `harbor/` implement them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from bundler.model.digest import Blob, Digest
    from bundler.model.progress import Task
    from bundler.model.reference import Reference
    from bundler.model.robot import MadeRobot, NewRobot, Robot
    from bundler.model.sink import Pieces, Sink


@dataclass(frozen=True, slots=True)
class Credentials:
    """What authenticates a request; its repr shows no secret."""

    username: str
    secret: str = field(repr=False)

    def as_bytes(self) -> tuple[bytes, bytes]:
        """Return both as they are sent: in UTF-8, or as the bytes that were typed where those are not UTF-8."""
        return self.username.encode(errors="surrogateescape"), self.secret.encode(errors="surrogateescape")


class Response(Protocol):
    """One HTTP response whose body is not read yet."""

    @property
    def status(self) -> int:
        """Its status code."""

    @property
    def url(self) -> str:
        """The URL that it came from after redirects, for messages: user info and secrets of the query removed."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its fields; names are looked up in any case."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, transfer codings removed, codings of the content not; SourceError (retryable)
        when it is cut or stalls.
        """

    def read(self, max_bytes: int) -> bytes:
        """Return the whole body, all codings removed; SourceError when it is longer than that."""


class Body(Protocol):
    """A request's body that is too large to be held in memory; iterating again sends it again."""

    def __len__(self) -> int:
        """Return its size in bytes, at least one."""

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """Yield it from its beginning; a piece may be overwritten once the next one is taken."""


class Transport(Protocol):
    """HTTP and TLS, proxies from the environment, no policy: every status is a response, not an error."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> AbstractContextManager[Response]:
        """Send one request, following redirects (credentials, an Authorization field and a body never travel to
        another host).

        Raises SourceError: unreachable, TLS failure (with the issuer seen), time-out of connecting or of a silent peer.
        """


class ClosingTransport(Transport, Protocol):
    """A `Transport` that keeps connections."""

    def close(self) -> None:
        """Close them."""


@dataclass(frozen=True, slots=True)
class Received:
    """A finished download.

    Arguments:
        last_modified: in seconds since the epoch.
        via: a mirror's prefix or "".
        media_type: what the server calls the content (`text/html`), "" where it does not say.
    """

    size: int
    last_modified: int | None
    via: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server sent to identify the bytes of a response, for asking later whether they have changed.

    Arguments:
        place: a digest of the requested URL, which may hold secrets.
        etag, last_modified: the fields as received (RFC 9110, 8.8), "" where there is none to rely on; not both "".
    """

    place: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A small file, held in memory.

    Arguments:
        last_modified: in seconds since the epoch.
        via: a mirror's prefix or "".
        validators: None where the server sent none.
        reused: whether these are the caller's cached bytes, which the server declared unchanged.
    """

    data: bytes
    last_modified: int | None
    via: str
    validators: Validators | None = None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """The verified bytes of an earlier response, and their validators."""

    data: bytes
    validators: Validators


class Downloader(Protocol):
    """Plain files over http, https, ftp and file."""

    def download(
        self,
        urls: Sequence[str],
        sink: Sink,
        task: Task,
        *,
        size: int | None = None,
        accept: Callable[[Received], None] | None = None,
    ) -> Received:
        """Download a file into the sink, resuming what it holds.

        Each url is tried through its mirrors first, then itself; then the next url. Retries with backoff; after a url
        that keeps failing, or sends wrong bytes, the next one is tried. The error raised is the last url's.

        Arguments:
            urls: absolute http, https, ftp or file URLs, the preferred one first.
            size: the pinned size in bytes; an upstream that announces another one raises IntegrityError at once. Only
                with a pinned size are the bytes of one place continued from another.
            accept: checks the finished download, and raises SourceError or IntegrityError when it is wrong; the sink is
                then emptied. It may consume the bytes, for the sink is not used afterwards.

        Raises SourceError, IntegrityError, StorageError (from the sink), whatever else `accept` raises.
        """

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the size in bytes of a download of these urls, by HEAD, or None when no upstream announces it.

        Raises SourceError when the last of them cannot be reached or does not exist.
        """

    def read(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: Callable[[Document], None] | None = None,
        cached: CachedDocument | None = None,
    ) -> Document:
        """Return a small document (a checksum file); SourceError when it is longer than `max_bytes`.

        Arguments:
            accept: raises SourceError when it is the wrong document; then the next place is tried.
            cached: the result of an earlier read. The place that it came from sends the document only if it has
                changed; any other place sends the whole.
        """


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """A manifest or index as the registry sent it; `digest` is the SHA-256 of `data`."""

    media_type: str
    data: bytes
    digest: Digest
    via: str


class RegistryReader(Protocol):
    """The pull side of an OCI registry (distribution spec 1.1, "Pull")."""

    def manifest(self, reference: Reference, *, want: Digest | None = None) -> RemoteManifest:
        """Return the manifest or index that the reference names (by digest where it has one, checked).

        Arguments:
            want: the digest that a tag has to have; after a mirror where it has another one, the next place is tried.

        Raises SourceError, IntegrityError (the bytes do not have the digest).
        """

    def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
        """Download a blob, verified, into the sink from the first place that has it; returns the mirror's prefix or "".

        Raises SourceError, IntegrityError, StorageError (from the sink).
        """


class RegistryWriter(Protocol):
    """The push side of one OCI registry (distribution spec 1.1, "Push"); many threads may share it.

    Every method retries where that may help, and raises PublishError.
    """

    @property
    def host(self) -> str:
        """The registry's name, `HOST[:PORT]`."""

    def reach(self) -> None:
        """Raise unless a registry answers; no credentials are sent."""

    def log_in(self) -> None:
        """Raise unless the registry, once reached, accepts the credentials, or wants none."""

    def manifest_digest(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest under a tag (or a digest), or None when there is none."""

    def config_digest(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the config in the manifest under a tag or digest; None for an index or nothing."""

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Tell whether the repository has a blob."""

    def mount(self, repository: str, blob: Blob, source: str) -> bool:
        """Mount a blob from another repository; False when the registry asks for an upload instead."""

    def upload(self, repository: str, blob: Blob, pieces: Pieces, task: Task) -> None:
        """Upload a blob.

        Arguments:
            pieces: yields its bytes from an offset on; may be called for every attempt.
        """

    def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
        """Put a manifest or index, whose children exist, under a tag or its digest."""


@dataclass(frozen=True, slots=True)
class HarborHealth:
    """A Harbor's own statement; `unhealthy_components` are the names of those that are not healthy."""

    healthy: bool
    unhealthy_components: tuple[str, ...] = ()


class Harbor(Protocol):
    """What bundler needs of Harbor's own API (v2.0); every method raises PublishError."""

    def is_harbor(self) -> bool:
        """Tell whether the registry is a Harbor."""

    def health(self) -> HarborHealth:
        """Return whether it is healthy."""

    def has_project(self, name: str) -> bool | None:
        """Tell whether a project of exactly this name exists; None when this account may not see that."""

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Create a project; False when somebody else just created it. `quota_bytes` is -1 for no limit."""

    def quota_bytes(self, name: str) -> int | None:
        """Return a project's limit in bytes, -1 for none; None when this account may not see it."""


class Robots(Protocol):
    """What bundler needs of Harbor's robot accounts; every method raises PublishError."""

    def find(self, wanted: NewRobot) -> Robot | None:
        """Return the existing robot of this name, or None."""

    def create(self, wanted: NewRobot) -> MadeRobot:
        """Create a robot; ROBOT_EXISTS when somebody else just did."""

    def renew(self, robot: Robot) -> MadeRobot:
        """Give a robot another secret; the old one is not accepted any more."""

    def remove(self, robot: Robot) -> None:
        """Delete a robot."""
