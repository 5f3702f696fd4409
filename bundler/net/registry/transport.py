"""A `Transport` for one repository: sends authorization, answers challenges, raises the registry's own messages.

So its users see neither tokens nor error bodies; refuses to know what is requested.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.net.http.redirect import origin
from bundler.net.http.status import MAY_NOT, error_for_status
from bundler.net.registry.errors import quoted_errors, quoted_refusal, registry_error
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from bundler.net.interface import Body, Credentials, Response, Transport
    from bundler.net.registry.endpoint import RemoteRepository
    from bundler.net.registry.token_auth import RegistryAuth

_FIRST_ERROR = 400
_UNAUTHORIZED = 401
# a response about the requested range, which only the caller can judge
_UNSATISFIABLE = 416


class RepositoryTransport:
    """See the module's docstring; one per repository, without state of its own."""

    def __init__(self, transport: Transport, auth: RegistryAuth, repository: RemoteRepository) -> None:
        self._transport = transport
        self._auth = auth
        self._repository = repository

    @contextmanager
    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> Iterator[Response]:
        """Send a request, and once more after a challenge.

        `credentials` must be None: the registry's challenge says how it wants them. Raises SourceError also for every
        status from 400 on except 416 (SOURCE_UNAUTHORIZED says whether credentials were found, and where).
        """
        if credentials is not None:
            raise ValueError(tr("a registry's credentials come from its challenge"))

        def send(authorization: str) -> AbstractContextManager[Response]:
            fields = {"Authorization": authorization} if authorization else {}
            return self._transport.request(method, url, headers={**(headers or {}), **fields}, body=body)

        used = self._auth.authorization(self._repository)

        def words(response: Response, authorization: str) -> str:
            if method != "HEAD":
                return quoted_refusal(response)
            # a response to HEAD has no body for the registry's words: GET shows them
            fields = {"Authorization": authorization} if authorization else {}
            with self._transport.request("GET", url, headers={**(headers or {}), **fields}) as full:
                return quoted_refusal(full) if full.status in MAY_NOT else ""

        used, message = self._auth.authorization(self._repository), ""
        with send(used) as response:
            if response.status != _UNAUTHORIZED or not _is_from(response, url):
                yield self._accepted(response, url, lambda refused: words(refused, used))
                return
            challenges = response.headers.get("WWW-Authenticate", "")
            if used:
                message = words(response, used)
                if not challenges.strip():
                    # Harbor does so for a project that does not exist or is not visible
                    raise self._auth.refusal(self._repository, message, response.status)
        renewed = self._auth.renew(self._repository, challenges, used, message)
        with send(renewed) as response:
            yield self._accepted(response, url, lambda refused: words(refused, renewed))

    def _accepted(self, response: Response, url: str, words: Callable[[Response], str]) -> Response:
        if response.status < _FIRST_ERROR or response.status == _UNSATISFIABLE:
            return response
        if not _is_from(response, url):
            # the storage behind the registry, which knows neither our credentials nor the registry's error codes
            raise error_for_status(response)
        if response.status in MAY_NOT:
            raise self._auth.refusal(self._repository, words(response), response.status)
        raise registry_error(response, self._repository, quoted_errors(response))


def _is_from(response: Response, url: str) -> bool:
    """Tell whether the requested place itself answered, not one that it redirected to."""
    return origin(response.url) == origin(url)
