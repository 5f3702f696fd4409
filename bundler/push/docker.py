"""A Docker engine behind `Engine`, through docker-py: the only module that knows that library.

Owns the variables beside DOCKER_HOST, as the docker command reads them, and the errors for the engine's refusals;
refuses to know what an image is, and how often to try. Works with API 1.39 (Docker 18.09) and later.
"""

from __future__ import annotations

import errno
import os
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, Self, assert_never

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, InvalidVersion, StreamParseError
from docker.utils import kwargs_from_env, version_lt

from bundler.errors import BundlerError, ErrorId, SiteError, StorageError
from bundler.model.digest import Digest
from bundler.model.image.table import engine_platforms
from bundler.net.redact import redact_text
from bundler.net.registry.endpoint import addresses
from bundler.push.engine import LayerStep
from bundler.push.engine_address import STEP, engine_address, unreachable
from bundler.push.engine_errors import is_distrust, refused_push
from bundler.push.engine_trust import is_insecure
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bundler.model.platform import Platform
    from bundler.net.registry.credentials import RegistryLogin

MIN_API = "1.39"
TIMEOUT_S = 60
_FOREIGN = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)
# what the library, which takes every answer for one of an engine's, raises at others
_ODD = (StreamParseError, RecursionError, ValueError, LookupError, TypeError, AttributeError)
_READERS = ("docker", "requests", "json")
_DENIED = (errno.EACCES, errno.EPERM)
_ABSENT = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK, errno.EHOSTUNREACH, errno.ENETUNREACH)
_FULL = ("no space left on device", "disk quota exceeded")


class DockerEngine:
    """The engine that the environment names; used as a context, which closes its connections."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Connect. Raises SiteError: ENGINE_UNREACHABLE, ENGINE_DENIED, ENGINE_TOO_OLD."""
        self._where = engine_address(environment)
        # most of the library has no types, and it returns JSON
        self._client: Any
        with _translated(self._where):
            self._client = docker.APIClient(
                **kwargs_from_env(environment=dict(environment)), version="auto", timeout=TIMEOUT_S
            )
        if version_lt(self._client.api_version, MIN_API):
            self._client.close()
            raise _too_old(self._where, tr("its API is {api_version}", api_version=self._client.api_version))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def where(self) -> str:
        """See `Engine`."""
        return self._where

    def platforms(self) -> tuple[Platform, ...]:
        """See `Engine`."""
        with _translated(self._where):
            version = self._client.version()
            machine = str(self._client.info().get("Architecture", "")) if version.get("Arch") == "arm" else ""
        try:
            return engine_platforms(str(version.get("Os", "")), str(version.get("Arch", "")), machine)
        except ValueError as error:
            raise _refused(self._where, tr("it tells no platform: {error}", error=error)) from error

    def image_id(self, name: str) -> str | None:
        """See `Engine`."""
        with _translated(self._where):
            try:
                return str(self._client.inspect_image(name)["Id"])
            except ImageNotFound:
                return None

    def load(self, archive: Iterable[bytes]) -> None:
        """See `Engine`."""
        with self._without_timeout(), _translated(self._where, under_way=True):
            for event in self._client.load_image(iter(archive)):
                self._raise_failure(event)

    def is_insecure(self, host: str) -> bool:
        """See `PushingEngine`; names are resolved here, because an engine mostly runs on this very host."""
        with _translated(self._where):
            config = self._client.info().get("RegistryConfig")
        return is_insecure(config, host, addresses(host))

    def distrust(self, name: str) -> str:
        """See `PushingEngine`."""
        with _translated(self._where):
            try:
                # with None the library would look for credentials on its own
                self._client.inspect_distribution(name, auth_config={})
            except APIError as error:
                message = redact_text(str(error.explanation or error))
                return message if is_distrust(message) else ""
        return ""

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """See `PushingEngine`."""
        with _translated(self._where):
            self._client.tag(image_id, repository, tag)

    def untag(self, name: str) -> None:
        """See `PushingEngine`."""
        with _translated(self._where), suppress(ImageNotFound):
            self._client.remove_image(name, noprune=True)

    def push(
        self, repository: str, tag: str, login: RegistryLogin | None, watch: Callable[[LayerStep], None]
    ) -> Digest | None:
        """See `PushingEngine`."""
        digest = None
        # with None the library would look for credentials on its own
        auth = {} if login is None else _auth(login, repository.partition("/")[0])
        with self._without_timeout(), _translated(self._where, under_way=True):
            for event in self._client.push(repository, tag, stream=True, decode=True, auth_config=auth):
                if (message := _failure(event)) is not None:
                    raise refused_push(message, f"{repository}:{tag}")
                if (step := _layer_step(event)) is not None:
                    watch(step)
                digest = _pushed_digest(event) or digest
        return digest

    @contextmanager
    def _without_timeout(self) -> Iterator[None]:
        """Allow work on a large image any time; an engine that dies closes the connection."""
        self._client.timeout = None
        try:
            yield
        finally:
            self._client.timeout = TIMEOUT_S

    def _raise_failure(self, event: Any) -> None:
        """Raise the error that an event reports: the status of the response was sent long before."""
        if (message := _failure(event)) is not None:
            _raise_refusal(self._where, message)


def _failure(event: Any) -> str | None:
    """Return the error message in an event of a load or push, or None."""
    if not isinstance(event, dict):
        return None
    detail = event.get("errorDetail")
    message = (detail.get("message") if isinstance(detail, dict) else None) or event.get("error")
    return str(message) if message else None


def _layer_step(event: Any) -> LayerStep | None:
    """Return the state of a layer in an event, or None when it is about the tag or the whole image."""
    if not isinstance(event, dict) or not event.get("id") or "progressDetail" not in event:
        return None
    detail = event["progressDetail"] if isinstance(event["progressDetail"], dict) else {}
    done, total = detail.get("current"), detail.get("total")
    return LayerStep(
        str(event["id"]),
        str(event.get("status", "")),
        done if isinstance(done, int) else 0,
        total if isinstance(total, int) else 0,
    )


def _pushed_digest(event: Any) -> Digest | None:
    aux = event.get("aux") if isinstance(event, dict) else None
    try:
        return Digest.parse(aux["Digest"]) if isinstance(aux, dict) and isinstance(aux.get("Digest"), str) else None
    except ValueError:
        return None


def _auth(login: RegistryLogin, host: str) -> dict[str, str]:
    """Return credentials in the form of the X-Registry-Auth field (Engine API, "Authentication")."""
    match login.kind:
        case "password":
            return {"username": login.username, "password": login.secret, "serveraddress": host}
        case "identity-token":
            return {"identitytoken": login.secret, "serveraddress": host}
        case "registry-token":
            return {"registrytoken": login.secret, "serveraddress": host}
        case unknown:
            assert_never(unknown)


@contextmanager
def _translated(where: str, *, under_way: bool = False) -> Iterator[None]:
    """Turn exceptions of docker-py and the libraries below it into our errors.

    Arguments:
        under_way: whether an image is being sent: then a lost connection is an interrupted one.
    """
    try:
        yield
    except BundlerError:
        raise
    except InvalidVersion as error:
        raise _too_old(where, str(error)) from error
    except APIError as error:
        _raise_refusal(where, str(error.explanation or error))
    except _FOREIGN as error:
        raise _connection_error(where, error, under_way=under_way) from error
    except _ODD as error:
        if not _is_of_a_reader(error):
            raise
        raise _refused(where, tr("what it answers is no answer of an engine ({error})", error=error)) from error


def _is_of_a_reader(error: Exception) -> bool:
    """Tell whether an exception comes from where answers are read, not from what an image or a person is told by."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    name = "" if frame is None else str(frame.tb_frame.f_globals.get("__name__"))
    return name == __name__ or name.partition(".")[0] in _READERS


def _raise_refusal(where: str, message: str) -> NoReturn:
    if any(text in message.lower() for text in _FULL):
        raise StorageError(
            ErrorId.DISK_FULL,
            tr("the engine has no room left: {message}", message=message),
            where=where,
            remedy=tr(
                "Make room on the disk where the engine keeps its images (`docker system df`), then run this again."
            ),
        )
    raise _refused(where, message)


def _refused(where: str, message: str) -> SiteError:
    return SiteError(
        ErrorId.ENGINE_REFUSED,
        tr("the engine refused: {message}", message=message),
        where=where,
        remedy=tr("Mend what it says; its own log tells more (`journalctl -u docker`)."),
        step=STEP,
    )


def _too_old(where: str, what: str) -> SiteError:
    return SiteError(
        ErrorId.ENGINE_TOO_OLD,
        tr("this engine is too old, {what}", what=what),
        where=where,
        remedy=tr("Install Docker 18.09 or newer (API {min_api}), or use load.sh of the bundle.", min_api=MIN_API),
        step=STEP,
    )


def _connection_error(where: str, error: Exception, *, under_way: bool) -> SiteError:
    number = _errno(error)
    if number in _DENIED:
        return SiteError(
            ErrorId.ENGINE_DENIED,
            tr("this user may not talk to the engine"),
            where=where,
            remedy=tr("Run the command as root, or as a member of the group `docker`."),
            step=STEP,
        )
    if under_way and number not in _ABSENT:
        return SiteError(
            ErrorId.ENGINE_CUT,
            tr("the engine went away while an image was on its way: {error}", error=error),
            where=where,
            remedy=tr("See that it runs (`journalctl -u docker`), then run the command again: it does what is left."),
            step=STEP,
        )
    return unreachable(where, os.strerror(number) if number else str(error))


def _errno(error: BaseException) -> int | None:
    """Return the system's error number, which the libraries hide in arguments and causes.

    None where there is none: errors of TLS and of name resolution have numbers of their own instead.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OSError) and one.errno in errno.errorcode and not isinstance(one, ssl.SSLError):
            return one.errno
        waiting += [one.__context__, one.__cause__, *one.args]
    return None
