"""A `Transport` for one repository: sends what opens it, answers challenges, raises refusals in the registry's words.

So whoever asks for manifests and blobs sees neither tokens nor error bodies; refuses to know what is asked for.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.net.http.redirect import origin
from bundler.net.http.status import MAY_NOT, error_for_status
from bundler.net.registry.errors import quoted_errors, registry_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from bundler.net.interface import Answer, Body, Credentials, Transport
    from bundler.net.registry.endpoint import Repository
    from bundler.net.registry.token_auth import RegistryAuth

_FIRST_ERROR = 400
_UNAUTHORIZED = 401
# an answer about the range that was asked for, which only the one who asked can judge
_UNSATISFIABLE = 416


class RepositoryTransport:
    """See the module; built per repository, without state of its own."""

    def __init__(self, transport: Transport, auth: RegistryAuth, repository: Repository) -> None:
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
    ) -> Iterator[Answer]:
        """Send a request, and once more after a challenge.

        `credentials` must be None: the registry says itself how it wants them. Raises SourceError also for every
        status from 400 on but 416 (SOURCE_UNAUTHORIZED says whether credentials were found, and where).
        """
        if credentials is not None:
            raise ValueError("a registry's credentials come from its challenge")

        def send(authorization: str) -> AbstractContextManager[Answer]:
            opening = {"Authorization": authorization} if authorization else {}
            return self._transport.request(method, url, headers={**(headers or {}), **opening}, body=body)

        used = self._auth.authorization(self._repository)
        with send(used) as answer:
            if answer.status != _UNAUTHORIZED or not _is_from(answer, url):
                yield self._accepted(answer, url)
                return
            asked = answer.headers.get("WWW-Authenticate", "")
            if used and not asked.strip():
                # Harbor, of a project that does not exist or may not be seen
                raise self._auth.refusal(self._repository, quoted_errors(answer), answer.status)
        with send(self._auth.renew(self._repository, asked, used)) as answer:
            yield self._accepted(answer, url)

    def _accepted(self, answer: Answer, url: str) -> Answer:
        if answer.status < _FIRST_ERROR or answer.status == _UNSATISFIABLE:
            return answer
        if not _is_from(answer, url):
            # the storage behind the registry, which has neither our credentials nor the registry's error codes
            raise error_for_status(answer)
        said = quoted_errors(answer)
        if answer.status in MAY_NOT:
            raise self._auth.refusal(self._repository, said, answer.status)
        raise registry_error(answer, self._repository, said)


def _is_from(answer: Answer, url: str) -> bool:
    """Tell whether the very place that was asked answered, not one that it redirected to."""
    return origin(answer.url) == origin(url)
