"""What the kinds ask of the network; `download.py` and `registry.py` implement it, tests have their own."""

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
        """Return both as they are sent: in UTF-8, or in the bytes that were typed where those are none."""
        return self.username.encode(errors="surrogateescape"), self.secret.encode(errors="surrogateescape")


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


class Body(Protocol):
    """What a request carries when it is too large to be held in memory; sent once more by iterating once more."""

    def __len__(self) -> int:
        """Return its bytes, at least one."""

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """Yield it from its beginning; a piece may be overwritten once the next one is asked for."""


class Transport(Protocol):
    """HTTP and TLS, proxies from the environment, no policy: every status is an answer, not an error."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> AbstractContextManager[Answer]:
        """Send one request, following redirects (credentials, an Authorization field and a body never travel to
        another host).

        Raises SourceError: unreachable, TLS failure (with the issuer seen), time-out of connect or of a silent peer.
        """


@dataclass(frozen=True, slots=True)
class Received:
    """A finished download. `last_modified` in seconds since the epoch; `via` is a mirror's prefix or ""."""

    size: int
    last_modified: int | None
    via: str


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the bytes that it sent, to be asked later whether they are still the same.

    Arguments:
        place: a digest of the URL that was asked, which may hold secrets.
        etag, last_modified: the fields as they came (RFC 9110, 8.8), "" where there is none to rely on; not both "".
    """

    place: str
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A small answer, held in memory.

    Arguments:
        last_modified: in seconds since the epoch.
        via: a mirror's prefix or "".
        validators: None where the place gives none.
        reused: whether these are the bytes that the caller held, of which the place said that they are unchanged.
    """

    data: bytes
    last_modified: int | None
    via: str
    validators: Validators | None = None
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The bytes of an earlier answer, still known to be those that came, and what their server said of them."""

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
        """Bring a file into the sink, resuming what it holds.

        Each url is tried through the mirrors first, then itself; then the next url. Retries with backoff; a url that
        keeps failing, or gives wrong bytes, gives way to the next. The error raised is the last url's.

        Arguments:
            urls: absolute http, https, ftp or file URLs, the preferred one first.
            size: the pinned size in bytes; an upstream that announces another is refused at once as IntegrityError.
                Only where there is one, bytes of one place are continued from another.
            accept: looks at what came before it counts, and raises SourceError or IntegrityError when it is wrong; the
                sink is then emptied. It may put the bytes to use, for nothing is done with the sink afterwards.

        Raises SourceError, IntegrityError, StorageError (from the sink), whatever else `accept` does.
        """

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the bytes that a download of these urls would have by HEAD, or None when no upstream tells.

        Raises SourceError when the last of them cannot be reached or does not exist.
        """

    def read(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: Callable[[Document], None] | None = None,
        held: Held | None = None,
    ) -> Document:
        """Return a small document (a checksum file); SourceError when it is longer than `max_bytes`.

        Arguments:
            accept: raises SourceError when it is something else, upon which the next place is tried.
            held: what an earlier read gave. The place that it came from is asked for the document only if it has
                changed; any other place is asked for the whole.
        """


@dataclass(frozen=True, slots=True)
class RemoteManifest:
    """A manifest or index as the registry gave it; `digest` is the SHA-256 of `data`."""

    media_type: str
    data: bytes
    digest: Digest
    via: str


class RegistryReader(Protocol):
    """The pull side of an OCI registry (distribution spec 1.1, "Pull")."""

    def manifest(self, reference: Reference, *, want: Digest | None = None) -> RemoteManifest:
        """Return the manifest or index that the reference names (by digest where it has one, checked).

        Arguments:
            want: the digest that a tag has to be at; a mirror where it is at another gives way to the next place.

        Raises SourceError, IntegrityError (bytes are not the digest's).
        """

    def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
        """Bring a blob, verified, into the sink from the first place that gives it; returns the mirror's prefix or "".

        Raises SourceError, IntegrityError, StorageError (from the sink).
        """


class RegistryWriter(Protocol):
    """The push side of one OCI registry (distribution spec 1.1, "Push"); many threads may share it.

    Every method tries again where that may help, and raises PublishError.
    """

    @property
    def host(self) -> str:
        """What the registry is called, `HOST[:PORT]`."""

    def check(self) -> None:
        """Raise unless a registry answers and takes the credentials."""

    def held(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest under a tag (or a digest), or None when there is none."""

    def config(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the config that the manifest under a tag or digest has; None for an index or nothing."""

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Tell whether the repository has a blob."""

    def mount(self, repository: str, blob: Blob, source: str) -> bool:
        """Take a blob over from another repository; False when the registry would rather have it sent."""

    def upload(self, repository: str, blob: Blob, pieces: Pieces, task: Task) -> None:
        """Send a blob.

        Arguments:
            pieces: yields its bytes from an offset on; may be called for every attempt.
        """

    def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
        """Make a tag, or a digest, stand for a manifest or index whose children are there."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a Harbor says that it is; `ailing` names the components that are not well."""

    healthy: bool
    ailing: tuple[str, ...] = ()


class Harbor(Protocol):
    """What is asked of Harbor's own API (v2.0); every method raises PublishError."""

    def recognised(self) -> bool:
        """Tell whether the registry is a Harbor."""

    def health(self) -> Health:
        """Return how it is."""

    def has_project(self, name: str) -> bool | None:
        """Tell whether a project of exactly this name exists; None when this account may not know."""

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Create a project; False when somebody else just has. `quota_bytes` is -1 for no limit."""


class Robots(Protocol):
    """What is asked of Harbor about robot accounts; every method raises PublishError."""

    def find(self, wanted: NewRobot) -> Robot | None:
        """Return the robot that has this name already."""

    def create(self, wanted: NewRobot) -> MadeRobot:
        """Make a robot; ROBOT_EXISTS when somebody else just has."""

    def renew(self, robot: Robot) -> MadeRobot:
        """Give a robot another secret; the old one opens nothing any more."""

    def remove(self, robot: Robot) -> None:
        """Take a robot away."""
