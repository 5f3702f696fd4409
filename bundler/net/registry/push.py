"""The push side of one OCI registry (distribution spec 1.1, "Push"). Implements `interface.RegistryWriter`.

Owns how requests are authenticated, tried again and slowed down; refuses to know which images there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from bundler.errors import ErrorId, SourceError
from bundler.model.digest import Digest
from bundler.model.image.oci import MAX_MANIFEST_BYTES, ImageManifest, parse_document
from bundler.model.progress import Unwatched
from bundler.net.http.status import MAY_NOT, error_for_status
from bundler.net.registry.endpoint import Endpoint, Endpoints, Repository, is_loopback, secure_endpoint
from bundler.net.registry.pull import ACCEPTED_TYPES
from bundler.net.registry.push_errors import no_registry, publish_error, scheme_error
from bundler.net.registry.token_auth import RegistryAuth
from bundler.net.registry.transport import RepositoryTransport
from bundler.net.registry.upload import Upload, resolved

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import Transport
    from bundler.net.registry.concurrency_limit import Gate
    from bundler.net.registry.credentials import Logins
    from bundler.net.retry import Retry

T = TypeVar("T")
# so many things in a row that were tried as often as anything is, and a registry is given up
MOST_IN_VAIN = 3
_MANIFESTS = {"Accept": ", ".join(ACCEPTED_TYPES)}
_OK, _CREATED, _ACCEPTED, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND = 200, 201, 202, 400, 401, 404


class RegistryPusher:
    """See `interface.RegistryWriter`.

    Arguments:
        host: `HOST[:PORT]`.
        plain_http: speak HTTP; otherwise HTTPS, and on loopback addresses whatever is spoken there.
        gate: how many requests run at once.
    """

    def __init__(
        self, host: str, transport: Transport, *, plain_http: bool, logins: Logins, retry: Retry, gate: Gate
    ) -> None:
        self._transport = transport
        self._retry = retry
        self._gate = gate
        self._auth = RegistryAuth(transport, logins, pushing=True)
        self._plain_http = plain_http
        self._gone: SourceError | None = None
        self._in_vain = 0
        # what is spoken on this machine `check` finds out
        plain = Endpoint(host, f"http://{host}", insecure=True, named=True)
        self._endpoint = plain if plain_http else secure_endpoint(host)
        self._begun: dict[tuple[str, str], str] = {}

    @property
    def host(self) -> str:
        """What the registry is called."""
        return self._endpoint.host

    @property
    def endpoint(self) -> Endpoint:
        """Where it answers, as `check` has found."""
        return self._endpoint

    def check(self) -> None:
        """Raise PublishError unless a registry answers and takes the credentials; finds the scheme on loopback."""
        self._gone, self._in_vain = None, 0
        status = self._run(self._reached, Unwatched())
        if status not in (_OK, _UNAUTHORIZED):
            raise no_registry(self._endpoint, status)
        if status == _UNAUTHORIZED:
            self._run(lambda: self._head("", f"{self._endpoint.url}/v2/", {}), Unwatched())

    def held(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest under a tag or digest, or None."""
        url = f"{self._repository(repository).url}/manifests/{name}"

        def attempt() -> Digest | None:
            try:
                told = self._head(repository, url, _MANIFESTS)
            except SourceError as error:
                if error.status not in MAY_NOT or error.code:
                    raise
                # the answer to a HEAD has no room for the registry's words
                told = ""
            if told == "":
                # a registry need not tell it (distribution spec 1.1), and the cut head of an answer looks alike
                return self._digest_of(repository, name)
            try:
                return None if told is None else Digest.parse(told)
            except ValueError as error:
                raise self._untold(repository, name) from error

        return self._run(attempt, Unwatched())

    def config(self, repository: str, name: str) -> Digest | None:
        """Return the digest of a manifest's config; None for an index, for nothing, and for what is neither."""
        found = self._run(lambda: self._manifest(repository, name), Unwatched())
        return None if found is None else _config_of(*found)

    def has_blob(self, repository: str, blob: Blob) -> bool:
        """Tell whether the repository has a blob."""
        return self._run(lambda: self._has(repository, blob), Unwatched())

    def mount(self, repository: str, blob: Blob, source: str) -> bool:
        """Take a blob over from another repository (distribution spec, "Mounting a blob"); False where that fails."""
        query = urlencode({"mount": str(blob.digest), "from": source})
        url = f"{self._repository(repository).url}/blobs/uploads/?{query}"

        def attempt() -> bool:
            with self._for(repository).request("POST", url, body=b"") as answer:
                if answer.status == _ACCEPTED and (location := answer.headers.get("Location", "")):
                    # it has begun an upload in place of taking the blob over
                    begun = resolved(self._repository(repository), url, location)
                    self._begun[repository, str(blob.digest)] = begun
                return answer.status == _CREATED

        def tried() -> bool:
            try:
                return attempt()
            except SourceError as error:
                if error.retryable:
                    raise
                # whatever is wrong with it will be told of the upload
                return False

        return self._run(tried, Unwatched())

    def upload(self, repository: str, blob: Blob, pieces: Pieces, task: Task) -> None:
        """Send a blob, going on after a cut where the registry has kept what came."""
        begun = self._begun.pop((repository, str(blob.digest)), "")
        upload = Upload(self._for(repository), self._repository(repository), blob, pieces, task, begun=begun)

        def attempt() -> None:
            # when all of it had gone out, the answer alone may have been lost
            if not upload.is_sent or not self._has(repository, blob):
                upload.attempt()

        self._run(attempt, task, position=lambda: upload.kept_bytes)

    def put_manifest(self, repository: str, name: str, media_type: str, data: bytes) -> None:
        """Put a manifest or an index under a tag or its digest."""
        url = f"{self._repository(repository).url}/manifests/{name}"

        def attempt() -> None:
            with self._for(repository).request("PUT", url, headers={"Content-Type": media_type}, body=data) as answer:
                if answer.status != _CREATED:
                    raise error_for_status(answer)

        self._run(attempt, Unwatched())

    def _has(self, repository: str, blob: Blob) -> bool:
        return self._head(repository, f"{self._repository(repository).url}/blobs/{blob.digest}", {}) is not None

    def _manifest(self, repository: str, name: str) -> tuple[bytes, str] | None:
        """Return a manifest's bytes and what they are said to be, None where there is none."""
        url = f"{self._repository(repository).url}/manifests/{name}"
        try:
            with self._for(repository).request("GET", url, headers=_MANIFESTS) as answer:
                return answer.read(MAX_MANIFEST_BYTES), answer.headers.get("Content-Type", "")
        except SourceError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _digest_of(self, repository: str, name: str) -> Digest | None:
        """Return the digest of the manifest's bytes, None where there is none."""
        found = self._manifest(repository, name)
        if found is not None and not found[0]:
            raise self._untold(repository, name)
        return None if found is None else Digest.sha256(found[0])

    def _untold(self, repository: str, name: str) -> SourceError:
        """Return the error for what must never be taken for a tag that is free."""
        return SourceError(
            ErrorId.SOURCE_INVALID,
            "the registry does not tell the digest of what a tag stands for",
            where=f"{self.host}/{repository}:{name}",
            remedy="Check that no proxy in between drops Docker-Content-Digest.",
            retryable=True,
        )

    def _repository(self, path: str) -> Repository:
        return Repository(self._endpoint, path, f"{self.host}/{path}" if path else self.host)

    def _for(self, path: str) -> RepositoryTransport:
        return RepositoryTransport(self._transport, self._auth, self._repository(path))

    def _run(self, attempt: Callable[[], T], task: Task, *, position: Callable[[], int] | None = None) -> T:
        def gated() -> T:
            with self._gate.turn():
                try:
                    result = attempt()
                except SourceError as error:
                    if error.retryable:
                        self._gate.failed()
                    raise
            self._gate.succeeded()
            self._in_vain = 0
            return result

        try:
            if self._gone is not None:
                # nobody listens there, or nothing gets through: the next blob need not find that out anew
                raise self._gone
            return self._retry.run(gated, task, position=position)
        except SourceError as error:
            self._in_vain += error.retryable
            if error.id == ErrorId.SOURCE_UNREACHABLE or self._in_vain >= MOST_IN_VAIN:
                self._gone = error
            raise publish_error(error, self._endpoint) from error

    def _head(self, repository: str, url: str, headers: dict[str, str]) -> str | None:
        """Return what an answer says of its digest, or None when there is nothing."""
        try:
            with self._for(repository).request("HEAD" if repository else "GET", url, headers=headers) as answer:
                return answer.headers.get("Docker-Content-Digest", "")
        except SourceError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _reached(self) -> int:
        """Return the status of `/v2/`, without credentials. Raises PublishError when the other scheme answers."""
        if not self._plain_http and is_loopback(self.host):
            self._endpoint = Endpoints(self._transport, frozenset()).find(self.host)
        try:
            status = self._status(self._endpoint.url)
        except SourceError as error:
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
            # a certificate that is not trusted is one all the same
            return scheme == "https" and error.id == ErrorId.SOURCE_TLS

    def _status(self, root: str) -> int:
        with self._transport.request("GET", f"{root}/v2/") as answer:
            if root.startswith("http:") and answer.url.startswith("https:"):
                raise scheme_error(self._endpoint, speaks_tls=True)
            if answer.status >= 500 or answer.status == 429:
                raise error_for_status(answer)
            return answer.status


def _config_of(data: bytes, media_type: str) -> Digest | None:
    try:
        document = parse_document(data, media_type)
    except ValueError:
        return None
    return document.config.digest if isinstance(document, ImageManifest) else None
