"""The pull side of an OCI registry (distribution spec 1.1, "Pull"). Implements `interface.RegistryReader`.

Owns the order of places to try, and that manifests and blobs have their digests. Refuses to interpret manifests beyond
their media type (`bundler.model.image.oci` does).
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
import time
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.digest import Digest
from bundler.model.image.oci import (
    ACCEPTED_TYPES,
    MAX_MANIFEST_BYTES,
    SchemaOneError,
    parse_document,
)
from bundler.model.progress import Unwatched
from bundler.net.http.attempt import accepted, transfer
from bundler.net.http.status import error_for_status
from bundler.net.interface import RemoteManifest
from bundler.net.mirrors import Mirrors
from bundler.net.registry.credentials import NoLogins
from bundler.net.registry.endpoint import EndpointFinder, RemoteRepository
from bundler.net.registry.token_auth import RegistryAuth
from bundler.net.registry.transport import RepositoryTransport
from bundler.net.retry import Retry
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.reference import Reference
    from bundler.model.sink import Sink
    from bundler.net.interface import Response, Transport
    from bundler.net.mirrors import MirroredRepository
    from bundler.net.registry.credentials import Logins

T = TypeVar("T")

# a mirror that fails so after all retries is not used for the rest of the run: an image has many blobs
_SILENT = (ErrorId.SOURCE_UNREACHABLE, ErrorId.SOURCE_TIMEOUT)
_OK = 200
_BY_SHA512 = re.compile(rb'"digest"\s*:\s*"sha512:')


class RegistryPuller:
    """See `interface.RegistryReader`; many threads may share one.

    Arguments:
        transport: has the same insecure hosts, whose certificates it does not verify.
        mirrors: tried before the registry that a reference names; each has credentials of its own.
        retry: how often each place is tried.
        logins: credentials, looked up only when a registry wants some.
        insecure_hosts: `HOST` or `HOST:PORT` that may use plain HTTP; loopback addresses always may.
        clock: monotonic seconds, for the lifetime of tokens.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        mirrors: Mirrors | None = None,
        retry: Retry | None = None,
        logins: Logins | None = None,
        insecure_hosts: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silent_mirrors: set[str] = set()
        self._transport = transport
        self._mirrors = mirrors or Mirrors()
        self._retry = retry or Retry()
        self._endpoints = EndpointFinder(transport, insecure_hosts)
        self._auth = RegistryAuth(transport, logins or NoLogins(), clock=clock)

    def manifest(self, reference: Reference, *, want: Digest | None = None) -> RemoteManifest:
        """Return the manifest or index that the reference names, by its digest where it has one.

        Arguments:
            want: the digest that a tag has to have; after a place where it has another one, the next is tried.

        Raises SourceError (IMAGE_SCHEMA_UNSUPPORTED for schema 1), IntegrityError, ToolMissingError.
        """
        task = Unwatched()

        def ask(place: MirroredRepository) -> RemoteManifest:
            return self._retry.run(lambda: self._manifest(place, reference, reference.digest or want), task)

        return self._first_place(reference, ask, task)

    def blob(self, repositories: Sequence[Reference], blob: Blob, sink: Sink, task: Task) -> str:
        """Download a blob into the sink, resuming what it holds; returns the prefix of the mirror that had it, or "".

        The repositories are tried in order, each through its mirrors first; after one that sends bytes with another
        digest, the next is tried. When none has it, the error raised is the last that is not "not found".

        Raises SourceError, IntegrityError (wrong bytes), StorageError (from the sink), ToolMissingError.
        """
        if not repositories:
            raise ValueError(tr("a blob needs at least one repository"))
        task.advance(sink.offset)

        def ask(where: str, place: MirroredRepository) -> str:
            def attempt() -> None:
                repository = self._repository(place, where)
                transport = RepositoryTransport(self._transport, self._auth, repository)
                url = f"{repository.url}/blobs/{blob.digest}"
                transfer(transport, url, sink, task, size=blob.size, immutable=True)

            def check(_: None) -> None:
                _require("a blob", sink.digest("sha256"), blob.digest, _named(where, place))

            accepted(lambda: self._retry.run(attempt, task, position=lambda: sink.offset), check, sink, task)
            return place.via

        failures: list[SourceError | IntegrityError] = []
        for reference in repositories:
            try:
                return self._first_place(reference, functools.partial(ask, f"{reference.name}@{blob.digest}"), task)
            except (SourceError, IntegrityError) as error:
                _refuse_unreadable(error)
                failures.append(error)
        telling = [error for error in failures if error.id != ErrorId.SOURCE_NOT_FOUND]
        raise (telling or failures)[-1]

    def _first_place(self, reference: Reference, ask: Callable[[MirroredRepository], T], task: Task) -> T:
        """Return the result of the first mirror, or else of the registry itself; raise the last one's error."""
        places = self._mirrors.repositories(reference.host, reference.path)
        for place, following in itertools.pairwise(places):
            if place.host in self._silent_mirrors:
                continue
            try:
                return ask(place)
            except (SourceError, IntegrityError) as error:
                _refuse_unreadable(error)
                if error.id in _SILENT:
                    self._silent_mirrors.add(place.host)
                task.note(tr("{error}; trying {host}", error=error, host=following.host))
        return ask(places[-1])

    def _repository(self, place: MirroredRepository, where: str) -> RemoteRepository:
        return RemoteRepository(self._endpoints.find(place.host), place.path, _named(where, place))

    def _manifest(self, place: MirroredRepository, reference: Reference, want: Digest | None) -> RemoteManifest:
        repository = self._repository(place, str(reference))
        transport = RepositoryTransport(self._transport, self._auth, repository)
        url = f"{repository.url}/manifests/{reference.digest or reference.tag}"
        with transport.request("GET", url, headers={"Accept": ", ".join(ACCEPTED_TYPES)}) as response:
            if response.status != _OK:
                raise error_for_status(response)
            data = response.read(MAX_MANIFEST_BYTES)
            media_type = _checked(data, response, want, repository.where)
        return RemoteManifest(media_type, data, Digest.sha256(data), place.via)


def _checked(data: bytes, response: Response, want: Digest | None, where: str) -> str:
    """Return a manifest's media type; raises SourceError or IntegrityError when it is not the requested one."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type == "text/html":
        raise _no_manifest(where, tr("it answered a web page"))
    media_type, failure = "", None
    try:
        media_type = parse_document(data, content_type).media_type
    except SchemaOneError as error:
        # before the digest is checked: a schema 1 manifest's is not the digest of its bytes
        raise SourceError(
            ErrorId.IMAGE_SCHEMA_UNSUPPORTED,
            tr("the registry gives this image in a format that pins no content: {error}", error=error),
            where=where,
            remedy=tr("Take a newer tag, or have the image pushed anew with a current tool."),
        ) from error
    except ValueError as error:
        failure = error
    if want := want or _promised(response):
        _require("a manifest", Digest(want.algorithm, hashlib.new(want.algorithm, data).hexdigest()), want, where)
    if failure is not None and _BY_SHA512.search(data):
        raise SourceError(
            ErrorId.IMAGE_SCHEMA_UNSUPPORTED,
            tr("the image names its parts by sha512, and only sha256 is read here"),
            where=where,
            remedy=tr("Take another tag, or have the image pushed anew with digests of sha256."),
        ) from failure
    if failure is not None:
        raise _no_manifest(where, str(failure)) from failure
    return media_type


def _promised(response: Response) -> Digest | None:
    """Return the Docker-Content-Digest; None when it is absent or of an unknown algorithm."""
    try:
        return Digest.parse(response.headers.get("Docker-Content-Digest", "").strip())
    except ValueError:
        return None


def _named(where: str, place: MirroredRepository) -> str:
    return tr("{where} (through {via})", where=where, via=place.via) if place.via else where


def _require(what: str, got: Digest, want: Digest, where: str) -> None:
    if got != want:
        raise IntegrityError(
            ErrorId.DIGEST_MISMATCH,
            tr("the registry gave {what} with another digest", what=what),
            where=where,
            remedy=tr(
                "Try again; if it stays so, the registry or a proxy before it is broken, or tampers with images."
            ),
            want=str(want),
            got=str(got),
        )


def _no_manifest(where: str, what: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_INVALID,
        tr("what the registry gave is no image manifest: {what}", what=what),
        where=where,
        remedy=tr("Check that the host is a registry, that no proxy answers in its place, and that this is an image."),
    )


def _refuse_unreadable(error: SourceError | IntegrityError) -> None:
    """Raise an error that no other place can avoid: the operator's own configuration is broken."""
    if error.id == ErrorId.CREDENTIALS_UNREADABLE:
        raise error
