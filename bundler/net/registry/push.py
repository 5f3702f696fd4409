"""The push side of one OCI registry (distribution spec 1.1, "Push"). Implements `interface.RegistryWriter`.

Owns how requests are authenticated, retried and slowed down; refuses to know which images there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from bundler.errors import ErrorId, SourceError
from bundler.model.digest import Digest
from bundler.model.image.oci import ACCEPTED_TYPES, MAX_MANIFEST_BYTES, ImageManifest, parse_document
from bundler.model.progress import Unwatched
from bundler.net.http.status import error_for_status, is_success
from bundler.net.registry.endpoint import (
    EndpointFinder,
    RegistryEndpoint,
    RemoteRepository,
    is_loopback,
    secure_endpoint,
)
from bundler.net.registry.push_errors import login_doubted, no_registry, publish_error, scheme_error
from bundler.net.registry.token_auth import RegistryAuth
from bundler.net.registry.token_slowness import TokenSlowness
from bundler.net.registry.transport import RepositoryTransport
from bundler.net.registry.upload import Upload, resolved
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import Transport
    from bundler.net.registry.concurrency_limit import AdaptiveLimit
    from bundler.net.registry.credentials import Logins
    from bundler.net.retry import Retry

T = TypeVar("T")
# after this many operations in a row have failed in spite of all retries, the registry is given up; one that is away
# is when `outage` says so
MAX_FAILURES = 3
_MANIFESTS = {"Accept": ", ".join(ACCEPTED_TYPES)}
_OK, _CREATED, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND = 200, 201, 400, 401, 404


class RegistryPusher:
    """See `interface.RegistryWriter`.

    Arguments:
        host: `HOST[:PORT]`.
        plain_http: use HTTP; otherwise HTTPS, and on loopback addresses whichever answers.
        retry: how often, and how long, everything is tried; its patience with a registry that is away begins after
            `log_in`.
        limit: how many requests run at once.
        doubt: asked why a refusal of credentials that were accepted before may pass; "" where it will not.
        announce: gets a line about a token service that does not answer.
    """

    def __init__(
        self,
        host: str,
        transport: Transport,
        *,
        plain_http: bool,
        logins: Logins,
        retry: Retry,
        limit: AdaptiveLimit,
        doubt: Callable[[SourceError], str] = lambda _: "",
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._transport = transport
        self._retry = retry
        self._limit = limit
        self._auth = RegistryAuth(transport, logins, pushing=True, slowness=TokenSlowness(announce))
        self._plain_http = plain_http
        self._doubt = doubt
        self._wants_login = self._is_logged_in = False
        self._given_up: SourceError | None = None
        self._failures = 0
        # for loopback addresses `reach` finds out the scheme
        plain = RegistryEndpoint(host, f"http://{host}", insecure=True, named=True)
        self._endpoint = plain if plain_http else secure_endpoint(host)
        self._upload_urls: dict[tuple[str, str], str] = {}

    @property
    def host(self) -> str:
        """The registry's name."""
        return self._endpoint.host

    @property
    def endpoint(self) -> RegistryEndpoint:
        """Its endpoint, as found by `reach`."""
        return self._endpoint

    def reach(self) -> None:
        """Raise PublishError unless a registry answers; finds the scheme on loopback."""
        self._given_up, self._failures, self._is_logged_in = None, 0, False
        status = self._run(_once_if_silent(self._probe), Unwatched(), retry=self._retry.impatient)
        if status not in (_OK, _UNAUTHORIZED):
            raise no_registry(self._endpoint, status)
        self._wants_login = status == _UNAUTHORIZED

    def log_in(self) -> None:
        """Raise PublishError unless the registry accepts the credentials, or has wanted none."""
        if self._wants_login:
            url = f"{self._endpoint.url}/v2/"
            ask = _once_if_silent(lambda: self._digest_header("", url, {}))
            self._run(ask, Unwatched(), retry=self._retry.impatient)
            self._auth.accepted(self.host)
        self._is_logged_in = self._wants_login
        if self._retry.outage is not None:
            self._retry.outage.answered()

    def check(self) -> None:
        """Raise PublishError unless a registry answers and accepts the credentials."""
        self.reach()
        self.log_in()

    def manifest_digest(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest under a tag or digest, or None."""
        url = f"{self._repository(repository).url}/manifests/{name}"

        def attempt() -> Digest | None:
            header = self._digest_header(repository, url, _MANIFESTS)
            if header == "":
                # it is optional (distribution spec 1.1), and a head that was cut lacks it too
                return self._digest_of(repository, name)
            try:
                return None if header is None else Digest.parse(header)
            except ValueError as error:
                raise self._digest_unknown(repository, name) from error

        return self._run(attempt, Unwatched())

    def config_digest(self, repository: str, name: str) -> Digest | None:
        """Return the digest of a manifest's config; None when there is no manifest, or something else."""
        found = self._run(lambda: self._manifest(repository, name), Unwatched())
        return None if found is None else _config_of(*found)

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Tell whether the repository has a blob."""
        return self._run(lambda: self._has(repository, blob), Unwatched())

    def mount(self, repository: str, blob: Blob, source: str) -> bool:
        """Mount a blob from another repository (distribution spec, "Mounting a blob"); False where that fails."""
        query = urlencode({"mount": str(blob.digest), "from": source})
        url = f"{self._repository(repository).url}/blobs/uploads/?{query}"

        def attempt() -> bool:
            with self._transport_for(repository).request("POST", url, body=b"") as response:
                status, location = response.status, response.headers.get("Location", "")
            if status == _CREATED or not is_success(status) or not location:
                return status == _CREATED
            if str(blob.digest) in location:
                # where a blob is, and not where to send one to: it says so with another success
                return self._has(repository, blob)
            # instead of mounting the blob, the registry has begun an upload
            started_at = resolved(self._repository(repository), url, location)
            self._upload_urls[repository, str(blob.digest)] = started_at
            return False

        def tried() -> bool:
            try:
                return attempt()
            except SourceError as error:
                if error.retryable:
                    raise
                # the upload will report what is wrong
                return False

        return self._run(tried, Unwatched())

    def upload(self, repository: str, blob: Blob, pieces: Pieces, task: Task) -> None:
        """Upload a blob, resumed after a cut where the registry has kept the first bytes."""
        started_at = self._upload_urls.pop((repository, str(blob.digest)), "")
        upload = Upload(
            self._transport_for(repository), self._repository(repository), blob, pieces, task, started_at=started_at
        )

        def attempt() -> None:
            # when all of it was sent, perhaps only the response was lost
            if not upload.is_sent or not self._has(repository, blob):
                upload.attempt()

        self._run(attempt, task, position=lambda: upload.kept_bytes)

    def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
        """Put a manifest or an index under a tag or its digest.

        Any success is one: some registries answer 200, 202 or 204, and what the name stands for is read afterwards.
        """
        url = f"{self._repository(repository).url}/manifests/{name}"

        def attempt() -> None:
            with self._transport_for(repository).request(
                "PUT", url, headers={"Content-Type": media_type}, body=data
            ) as response:
                if not is_success(response.status):
                    raise error_for_status(response)

        self._run(attempt, Unwatched())

    def _has(self, repository: str, blob: Blob) -> bool:
        return (
            self._digest_header(repository, f"{self._repository(repository).url}/blobs/{blob.digest}", {}) is not None
        )

    def _manifest(self, repository: str, name: str) -> tuple[bytes, str] | None:
        """Return a manifest's bytes and media type, None where there is none."""
        url = f"{self._repository(repository).url}/manifests/{name}"
        try:
            with self._transport_for(repository).request("GET", url, headers=_MANIFESTS) as response:
                return response.read(MAX_MANIFEST_BYTES), response.headers.get("Content-Type", "")
        except SourceError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _digest_of(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest's bytes, None where there is none."""
        found = self._manifest(repository, name)
        if found is not None and not found[0]:
            raise self._digest_unknown(repository, name)
        return None if found is None else Digest.sha256(found[0])

    def _digest_unknown(self, repository: str, name: str) -> SourceError:
        """Return the error for a tag of unknown digest, which must never be taken for a free one."""
        return SourceError(
            ErrorId.SOURCE_INVALID,
            tr("the registry does not tell the digest of what a tag stands for"),
            where=f"{self.host}/{repository}:{name}",
            remedy=tr("Check that no proxy in between drops Docker-Content-Digest."),
            retryable=True,
        )

    def _repository(self, path: str) -> RemoteRepository:
        return RemoteRepository(self._endpoint, path, f"{self.host}/{path}" if path else self.host)

    def _transport_for(self, path: str) -> RepositoryTransport:
        return RepositoryTransport(self._transport, self._auth, self._repository(path))

    def _run(
        self,
        attempt: Callable[[], T],
        task: Task,
        *,
        position: Callable[[], int] | None = None,
        retry: Retry | None = None,
    ) -> T:
        def limited() -> T:
            with self._limit.slot():
                try:
                    result = self._doubted(attempt)
                except SourceError as error:
                    if error.retryable:
                        self._limit.failed()
                    raise
            self._limit.succeeded()
            self._failures = 0
            return result

        try:
            if self._given_up is not None:
                # it is unreachable or fails for ever: the next blob need not find that out again
                raise self._given_up
            return (retry or self._retry).run(limited, task, position=position)
        except SourceError as error:
            self._failures += error.retryable
            if self._is_gone(error) or self._failures >= MAX_FAILURES:
                self._given_up = error
            raise publish_error(error, self._endpoint) from error

    def _doubted(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns; a refusal of the accepted login that may pass becomes a retryable error."""
        try:
            return attempt()
        except SourceError as error:
            if not self._is_logged_in or error.status != _UNAUTHORIZED or not (why := self._doubt(error)):
                raise
            raise login_doubted(error, why) from error

    def _is_gone(self, error: SourceError) -> bool:
        outage = self._retry.outage
        return error.id == ErrorId.SOURCE_UNREACHABLE if outage is None else outage.is_over

    def _digest_header(self, repository: str, url: str, headers: dict[str, str]) -> str | None:
        """Return the Docker-Content-Digest of a response, "" where it lacks one, or None for a status 404."""
        try:
            with self._transport_for(repository).request(
                "HEAD" if repository else "GET", url, headers=headers
            ) as response:
                return response.headers.get("Docker-Content-Digest", "")
        except SourceError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _probe(self) -> int:
        """Return the status of `/v2/` without credentials. Raises PublishError when the other scheme answers."""
        if not self._plain_http and is_loopback(self.host):
            self._endpoint = EndpointFinder(self._transport, frozenset()).find(self.host)
        try:
            status = self._status(self._endpoint.url)
        except SourceError as error:
            if self._plain_http and error.where.startswith("https:"):
                # it has redirected there, and whether that place is trusted or answers does not matter
                raise scheme_error(self._endpoint, speaks_tls=True) from error
            if error.id == ErrorId.SOURCE_TLS and not self._plain_http and self._answers("http"):
                raise scheme_error(self._endpoint, speaks_tls=False) from error
            if error.id == ErrorId.SOURCE_CUT and self._plain_http and self._answers("https"):
                raise scheme_error(self._endpoint, speaks_tls=True) from error
            raise
        if status == _BAD_REQUEST and self._plain_http and self._answers("https"):
            raise scheme_error(self._endpoint, speaks_tls=True)
        return status

    def _answers(self, scheme: str) -> bool:
        try:
            return self._status(f"{scheme}://{self.host}") in (_OK, _UNAUTHORIZED)
        except SourceError as error:
            # a certificate that is not trusted is a certificate all the same
            return scheme == "https" and error.id == ErrorId.SOURCE_TLS

    def _status(self, root: str) -> int:
        with self._transport.request("GET", f"{root}/v2/") as response:
            if root.startswith("http:") and response.url.startswith("https:"):
                raise scheme_error(self._endpoint, speaks_tls=True)
            if response.status >= 500 or response.status == 429:
                raise error_for_status(response)
            return response.status


def _once_if_silent(attempt: Callable[[], T]) -> Callable[[], T]:
    """Return the same without a second try after a time-out: at the beginning somebody sits before it and waits."""

    def once() -> T:
        try:
            return attempt()
        except SourceError as error:
            raise replace(error, retryable=error.retryable and error.id != ErrorId.SOURCE_TIMEOUT) from error

    return once


def _config_of(data: bytes, media_type: str) -> Digest | None:
    try:
        document = parse_document(data, media_type)
    except ValueError:
        return None
    return document.config.digest if isinstance(document, ImageManifest) else None
