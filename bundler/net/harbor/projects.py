"""Harbor's own API, v2.0 (goharbor/harbor, api/v2.0/swagger.yaml). Implements `interface.Harbor`.

Owns its URLs, responses and error bodies; sends Basic credentials with every request and never a cookie, because Harbor
wants CSRF tokens in the sessions of cookies. Refuses to decide which projects there should be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from bundler.errors import ErrorId, PublishError, SourceError
from bundler.model.json_value import load_foreign, objects
from bundler.model.progress import Unwatched
from bundler.net.http.status import MAY_NOT, error_for_status, is_success
from bundler.net.interface import Credentials, HarborHealth
from bundler.net.registry.errors import first_code, quoted_errors
from bundler.net.registry.push_errors import FROZEN_REMEDY, is_frozen, publish_error
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.net.interface import Response, Transport
    from bundler.net.registry.credentials import Logins
    from bundler.net.registry.endpoint import RegistryEndpoint
    from bundler.net.retry import Retry

T = TypeVar("T")
MAX_RESPONSE_BYTES = 1024 * 1024
_OK, _NOT_FOUND, _CONFLICT = 200, 404, 409


class HarborApi:
    """See `interface.Harbor`.

    Arguments:
        endpoint: returns the registry's endpoint, once that is known.
        logins: only passwords are used; tokens are for the registry alone.
    """

    def __init__(
        self, endpoint: Callable[[], RegistryEndpoint], transport: Transport, logins: Logins, retry: Retry
    ) -> None:
        self._endpoint = endpoint
        self._transport = transport
        self._logins = logins
        self._retry = retry

    @property
    def host(self) -> str:
        """The registry's name."""
        return self._endpoint().host

    def is_harbor(self) -> bool:
        """Tell whether it states a version of Harbor, which needs no credentials."""

        def read(response: Response) -> bool:
            if response.status != _OK and (error := error_for_status(response)).retryable:
                # perhaps a Harbor that is starting
                raise error
            return response.status == _OK and "harbor_version" in json_object(response)

        try:
            return self.request("GET", "systeminfo", read, credentials=None, retry=self._retry.impatient)
        except PublishError:
            # without its database it may not know its settings, and still names the component that is missing
            if self.health().unhealthy_components:
                return True
            raise

    def health(self) -> HarborHealth:
        """Return what it states about itself: the status code is 200 whatever is wrong."""

        def read(response: Response) -> HarborHealth:
            state = json_object(response) if response.status == _OK else {}
            components = objects(state.get("components"))
            unhealthy = tuple(str(item.get("name")) for item in components if item.get("status") != "healthy")
            return HarborHealth(state.get("status") == "healthy", unhealthy)

        return self.request("GET", "health", read, credentials=None, retry=self._retry.impatient)

    def has_project(self, name: str) -> bool | None:
        """Tell whether a project of exactly this name exists; None when this account may not see that."""

        def read(response: Response) -> bool | None:
            if response.status in MAY_NOT:
                return None
            if response.status not in (_OK, _NOT_FOUND):
                raise error_for_status(response)
            return response.status == _OK

        query = urlencode({"project_name": name})
        return self.request("HEAD", f"projects?{query}", read, credentials=self.credentials())

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Create a project; False when it exists by now. Raises PublishError (PUSH_PROJECT_REFUSED, ...)."""
        # in the API `public` is a string, not a boolean
        wanted = {
            "project_name": name,
            "metadata": {"public": "true" if public else "false"},
            "storage_limit": quota_bytes,
        }

        def read(response: Response) -> bool:
            if is_success(response.status) or response.status == _CONFLICT:
                return response.status != _CONFLICT
            error = error_for_status(response)
            if error.retryable:
                raise error
            raise self._refused(name, response)

        return self.request("POST", "projects", read, credentials=self.credentials(), body=json.dumps(wanted).encode())

    def quota_bytes(self, name: str) -> int | None:
        """Return a project's limit in bytes, -1 for none; None when this account may not see it."""

        def read(response: Response) -> int | None:
            quota = json_object(response).get("quota") if response.status == _OK else None
            hard = quota.get("hard") if isinstance(quota, dict) else None
            found = hard.get("storage") if isinstance(hard, dict) else None
            return found if isinstance(found, int) else None

        return self.request(
            "GET", f"projects/{quote(name, safe='')}/summary", read,
            credentials=self.credentials(), headers={"X-Is-Resource-Name": "true"},
        )  # fmt: skip

    def request(
        self,
        method: str,
        path: str,
        read: Callable[[Response], T],
        *,
        credentials: Credentials | None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        retry: Retry | None = None,
    ) -> T:
        """Send one request to the API, again where that may help, and return what `read` makes of the response.

        Arguments:
            path: below /api/v2.0/, query included.
            body: JSON.

        Raises PublishError.
        """
        url = f"{self._endpoint().url}/api/v2.0/{path}"
        fields = {"Accept": "application/json", **(headers or {})}
        fields |= {"Content-Type": "application/json"} if body else {}

        def attempt() -> T:
            with self._transport.request(method, url, headers=fields, credentials=credentials, body=body) as response:
                return read(response)

        try:
            return (retry or self._retry).run(attempt, Unwatched())
        except SourceError as error:
            raise publish_error(error, self._endpoint()) from error

    def credentials(self) -> Credentials | None:
        """Return the password if it may be sent: over TLS, or where the operator accepts a connection without."""
        endpoint = self._endpoint()
        login = self._logins.login(endpoint.host, "")
        if login is None or login.kind != "password":
            return None
        if urlsplit(endpoint.url).scheme != "https" and not endpoint.insecure:
            return None
        return Credentials(login.username, login.secret)

    def _refused(self, name: str, response: Response) -> PublishError:
        message = quoted_errors(response)
        host = self._endpoint().host
        return PublishError(
            ErrorId.PUSH_PROJECT_REFUSED,
            tr("Harbor does not create the project {name!r}: {message}", name=name, message=message or response.status),
            where=host,
            remedy=FROZEN_REMEDY
            if is_frozen(message)
            else tr(
                "Create it in Harbor's web page as an administrator, or push with an account that may "
                "(docker login {host}, or --username and --password-stdin).",
                host=host,
            ),
            status=response.status,
            code=first_code(message),
            quote=message,
        )


def json_object(response: Response) -> dict[str, Any]:
    """Return the JSON object of a response, {} for anything else. Raises SourceError where a retry may help."""
    value = json_value(response)
    return value if isinstance(value, dict) else {}


def json_value(response: Response) -> Any:
    """Return the JSON value of a response, None where it has none. Raises as `json_object` does."""
    try:
        return load_foreign(response.read(MAX_RESPONSE_BYTES))
    except ValueError:
        return None
    except SourceError as error:
        if error.retryable:
            raise
        return None
