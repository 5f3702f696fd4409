"""Harbor's own API, v2.0 (goharbor/harbor, api/v2.0/swagger.yaml). Implements `interface.Harbor`.

Owns its URLs, answers and error bodies; sends Basic credentials with every request and never a cookie, for whose
sessions Harbor wants CSRF tokens. Refuses to decide which projects there should be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from bundler.errors import ErrorId, PublishError, SourceError
from bundler.model.progress import Unwatched
from bundler.net.http.status import MAY_NOT, error_for_status
from bundler.net.interface import Credentials, Health
from bundler.net.registry.errors import first_code, quoted_errors
from bundler.net.registry.push_errors import publish_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.net.interface import Answer, Transport
    from bundler.net.registry.credentials import Logins
    from bundler.net.registry.endpoint import Endpoint
    from bundler.net.retry import Retry

T = TypeVar("T")
MAX_ANSWER_BYTES = 1024 * 1024
_OK, _CREATED, _NOT_FOUND, _CONFLICT = 200, 201, 404, 409


class HarborApi:
    """See `interface.Harbor`.

    Arguments:
        endpoint: returns where the registry answers, once that is known.
        logins: a password is needed; tokens open the registry alone.
    """

    def __init__(self, endpoint: Callable[[], Endpoint], transport: Transport, logins: Logins, retry: Retry) -> None:
        self._endpoint = endpoint
        self._transport = transport
        self._logins = logins
        self._retry = retry

    @property
    def host(self) -> str:
        """What the registry is called."""
        return self._endpoint().host

    def recognised(self) -> bool:
        """Tell whether it says of itself which Harbor it is; anybody may ask that."""

        def ask(answer: Answer) -> bool:
            if answer.status != _OK and (error := error_for_status(answer)).retryable:
                # one that is starting, perhaps
                raise error
            return answer.status == _OK and "harbor_version" in json_object(answer)

        return self.ask("GET", "systeminfo", ask, credentials=None)

    def health(self) -> Health:
        """Return what it says of itself: the status code is 200 whatever is wrong."""

        def ask(answer: Answer) -> Health:
            said = json_object(answer) if answer.status == _OK else {}
            listed = said.get("components")
            components = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
            ailing = tuple(str(item.get("name")) for item in components if item.get("status") != "healthy")
            return Health(said.get("status") == "healthy", ailing)

        return self.ask("GET", "health", ask, credentials=None)

    def has_project(self, name: str) -> bool | None:
        """Tell whether a project of exactly this name exists; None when this account may not know."""

        def ask(answer: Answer) -> bool | None:
            if answer.status in MAY_NOT:
                return None
            if answer.status not in (_OK, _NOT_FOUND):
                raise error_for_status(answer)
            return answer.status == _OK

        return self.ask("HEAD", f"projects?{urlencode({'project_name': name})}", ask, credentials=self.credentials())

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Create a project; False when it is there by now. Raises PublishError (PUSH_PROJECT_REFUSED, ...)."""
        # `public` is a text there, not a boolean
        wanted = {
            "project_name": name,
            "metadata": {"public": "true" if public else "false"},
            "storage_limit": quota_bytes,
        }

        def ask(answer: Answer) -> bool:
            if answer.status in (_CREATED, _CONFLICT):
                return answer.status == _CREATED
            error = error_for_status(answer)
            if error.retryable:
                raise error
            raise self._refused(name, answer)

        return self.ask("POST", "projects", ask, credentials=self.credentials(), body=json.dumps(wanted).encode())

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        *,
        credentials: Credentials | None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> T:
        """Send one request to the API, again where that may help, and return what `read` makes of the answer.

        Arguments:
            path: below /api/v2.0/, query included.
            body: JSON.

        Raises PublishError.
        """
        url = f"{self._endpoint().url}/api/v2.0/{path}"
        fields = {"Accept": "application/json", **(headers or {})}
        fields |= {"Content-Type": "application/json"} if body else {}

        def attempt() -> T:
            with self._transport.request(method, url, headers=fields, credentials=credentials, body=body) as answer:
                return read(answer)

        try:
            return self._retry.run(attempt, Unwatched())
        except SourceError as error:
            raise publish_error(error, self._endpoint()) from error

    def credentials(self) -> Credentials | None:
        """Return the password, where it may be sent: over TLS, or where the operator accepts none."""
        endpoint = self._endpoint()
        login = self._logins.login(endpoint.host, "")
        if login is None or login.kind != "password":
            return None
        if urlsplit(endpoint.url).scheme != "https" and not endpoint.insecure:
            return None
        return Credentials(login.username, login.secret)

    def _refused(self, name: str, answer: Answer) -> PublishError:
        said = quoted_errors(answer)
        host = self._endpoint().host
        return PublishError(
            ErrorId.PUSH_PROJECT_REFUSED,
            f"Harbor does not create the project {name!r}: {said or answer.status}",
            where=host,
            remedy=f"Create it in Harbor's web page as an administrator, or push with an account that may "
            f"(docker login {host}, or --username and --password-stdin).",
            status=answer.status,
            code=first_code(said),
        )


def json_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object that an answer holds, {} for anything else. Raises SourceError where another try helps."""
    value = json_value(answer)
    return value if isinstance(value, dict) else {}


def json_value(answer: Answer) -> Any:
    """Return the JSON value that an answer holds, None where it holds none. As `json_object`."""
    try:
        return json.loads(answer.read(MAX_ANSWER_BYTES))
    except (ValueError, RecursionError):
        return None
    except SourceError as error:
        if error.retryable:
            raise
        return None
