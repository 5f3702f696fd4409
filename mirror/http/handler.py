"""Decide what a request gets: who asks, what for, and whether the file is still the checked one.

Owns the order of these questions; the connection owns how a response is sent, `own_urls` what lies below `/-/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.http.auth import REALM, basic_credentials
from mirror.http.comparison_urls import is_asked_to_compare
from mirror.http.exchange import PreparedResponse
from mirror.http.login_turns import LoginTurns
from mirror.http.own_urls import HEALTH, IMAGE, is_open_to_all, is_own
from mirror.http.registry_urls import (
    is_registry,
    is_registry_url,
    registry_decision,
    registry_file_response,
    registry_refusal,
    registry_response,
)
from mirror.http.request_target import RequestTarget, parse_target
from mirror.http.response import METHODS, OutgoingResponse, file_response, text_response
from mirror.registry.decision import JsonReply
from mirror.registry.repositories import repository_index
from mirror.tree.open_file import open_to_send
from mirror.tree.opening import NotTheCheckedFileError, is_unchanged
from mirror.tree.served import File
from mirror.worker.operator_log import log_line

if TYPE_CHECKING:
    from mirror.http.auth import BasicCredentials
    from mirror.http.exchange import EventualResponse, Exchange
    from mirror.http.own_urls import OwnUrls
    from mirror.http.thread_work import ThreadWork
    from mirror.registry.repositories import RepositoryIndex
    from mirror.tree.served import Directory
    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

MoreFields = tuple[tuple[str, str], ...]
RETRY_S = 5


class Handler:
    """Decides for one worker.

    Arguments:
        worker: what is served, and who may ask.
        own: the mirror's own URLs and its pages.
        threads: do what would hold up other requests for too long.
    """

    def __init__(self, worker: Worker, own: OwnUrls, threads: ThreadWork) -> None:
        self._worker = worker
        self._own = own
        self._threads = threads
        self._logins = LoginTurns(worker.logins)
        # the names of the images of the snapshot that was asked last
        self._named: tuple[Serving, RepositoryIndex] | None = None

    def decide(self, exchange: Exchange) -> EventualResponse:
        """Return the response to a request, or a coroutine that returns it when it has to wait for something."""
        serving = self._worker.serving
        target = parse_target(exchange.raw_target)
        if exchange.method == "OPTIONS" and (target is not None or exchange.raw_target == b"*"):
            return PreparedResponse(OutgoingResponse(204, [("Allow", METHODS)]))
        if exchange.method not in ("GET", "HEAD") and not is_asked_to_compare(exchange, target):
            return PreparedResponse(_not_allowed(exchange))
        if target is None:
            if is_registry_url(exchange.raw_target):
                return PreparedResponse(registry_refusal(400))
            return self._problem(exchange, RequestTarget("", is_directory=True, query=""), 400)
        if exchange.only_registry and not is_registry(target) and target.path != HEALTH:
            return PreparedResponse(
                text_response(404, "Only /v2/ and /-/health are answered on this port (--registry).\n")
            )
        if serving.users is None or is_open_to_all(target):
            return self._find(exchange, target, serving)
        credentials = basic_credentials(exchange.fields.get(b"authorization"))
        if credentials is None:
            return self._problem(exchange, target, 401)
        exchange.user = credentials.name
        if serving.users.remembers(*credentials):
            return self._find(exchange, target, serving)
        return self._find_for_user(exchange, target, serving, credentials)

    async def _find_for_user(
        self, exchange: Exchange, target: RequestTarget, serving: Serving, credentials: BasicCredentials
    ) -> PreparedResponse:
        assert serving.users is not None  # noqa: S101 - asked for before
        if wait_s := await self._logins.turn(exchange.remote):
            return _busy(target, 429, "Too many failed log-ins from this address.\n", round(wait_s) + 1)
        right = serving.users.remembers(*credentials) or await self._threads.check_password(serving.users, credentials)
        if right is None:
            return _busy(target, 503, "Too many log-ins at once.\n", RETRY_S)
        self._logins.ended(exchange.remote, right=right)
        if not right:
            return self._problem(exchange, target, 401)
        found = self._find(exchange, target, serving)
        return found if isinstance(found, PreparedResponse) else await found

    def _find(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> EventualResponse:
        path = target.path
        if path.startswith(IMAGE):
            return self._image(exchange, target, serving)
        if is_own(path):
            response = self._own.response(exchange, target, serving)
            return PreparedResponse(response) if response is not None else self._problem(exchange, target, 404)
        if is_registry(target):
            return self._registry(exchange, target, serving)
        try:
            found = serving.site.find(path)
        except OSError as error:
            return self._unservable(exchange, target, f"{path}: {error.strerror}")
        if found is None or (isinstance(found, File) and target.is_directory):
            return self._problem(exchange, target, 404)
        if isinstance(found, File):
            return self._file(exchange, target, found, serving)
        return self._directory(exchange, target, found, serving)

    async def _image(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> PreparedResponse:
        response = await self._own.image(exchange, target, serving, self._threads)
        return PreparedResponse(response) if response is not None else self._problem(exchange, target, 404)

    def _registry(self, exchange: Exchange, target: RequestTarget, serving: Serving) -> EventualResponse:
        decision = registry_decision(exchange, target, self._repositories(serving))
        if isinstance(decision, JsonReply):
            return PreparedResponse(registry_response(decision))
        return self._file(exchange, target, decision.file, serving, decision.fields)

    def _repositories(self, serving: Serving) -> RepositoryIndex:
        if self._named is None or self._named[0] is not serving:
            self._named = (serving, repository_index(serving.site))
        return self._named[1]

    def _directory(
        self, exchange: Exchange, target: RequestTarget, directory: Directory, serving: Serving
    ) -> PreparedResponse:
        if not target.is_directory:
            there = [("Location", target.directory_url)]
            return PreparedResponse(text_response(301, f"See {target.directory_url}\n", there))
        return PreparedResponse(self._own.directory(exchange, target, directory, serving))

    def _file(
        self, exchange: Exchange, target: RequestTarget, file: File, serving: Serving, more: MoreFields = ()
    ) -> EventualResponse:
        try:
            return _prepared_file(exchange, file, more)
        except NotTheCheckedFileError as error:
            if error.is_passing:
                return self._unservable(exchange, target, str(error))
            if serving.quarantine.may_have_changed(file):
                return self._check_again(exchange, target, file, serving, more)
            if not serving.quarantine.is_known(file):
                self._refuse(serving, file, error.reason)
            return self._problem(exchange, target, 503)

    async def _check_again(
        self, exchange: Exchange, target: RequestTarget, file: File, serving: Serving, more: MoreFields
    ) -> PreparedResponse:
        """Hash a file whose identity changed, and serve it when its bytes are the listed ones."""
        again, identity = await self._threads.hash_again(file)
        if again is not None:
            serving.quarantine.readmit(serving.site, again)
            self._worker.count_faults()
            try:
                return _prepared_file(exchange, again, more)
            except NotTheCheckedFileError:
                pass
        elif not serving.quarantine.is_known(file):
            what = "it cannot be read" if identity is None else "its bytes are no longer the listed ones"
            log_line(f"{file.bundle}/{file.path} is not served: {what}")
        serving.quarantine.refuse(file, identity)
        self._worker.count_faults()
        return self._problem(exchange, target, 503)

    def _refuse(self, serving: Serving, file: File, reason: str) -> None:
        if file.digest is not None:
            log_line(f"{file.bundle}/{file.path} is not served: {reason}")
            serving.quarantine.refuse(file, None)
            self._worker.count_faults()

    def _unservable(self, exchange: Exchange, target: RequestTarget, reason: str) -> PreparedResponse:
        log_line(reason)
        return self._problem(exchange, target, 503)

    def _problem(self, exchange: Exchange, target: RequestTarget, status: int) -> PreparedResponse:
        if is_registry(target) and status == 503:
            # clients of a registry take 503 for a crowd, and ask again until they give up without a reason
            return PreparedResponse(registry_refusal(500))
        more = {401: [("WWW-Authenticate", REALM)], 503: [("Retry-After", str(RETRY_S))]}.get(status, [])
        if is_registry(target):
            return PreparedResponse(registry_refusal(status, more))
        return PreparedResponse(self._own.problem(exchange, target, self._worker.serving, status, more))


def _not_allowed(exchange: Exchange) -> OutgoingResponse:
    if is_registry_url(exchange.raw_target):
        return registry_refusal(405)
    return text_response(405, "Only GET, HEAD and OPTIONS are known here.\n", [("Allow", METHODS)])


def _busy(target: RequestTarget, status: int, text: str, retry_s: int) -> PreparedResponse:
    later = [("Retry-After", str(retry_s))]
    if is_registry(target):
        return PreparedResponse(registry_refusal(status, later))
    return PreparedResponse(text_response(status, text, later))


def _prepared_file(exchange: Exchange, file: File, more: MoreFields) -> PreparedResponse:
    """Return the response for a file, the open file with it where bytes of it are sent. NotTheCheckedFileError.

    Arguments:
        more: fields that a file has in the registry, none for what is no registry's.
    """
    fields = exchange.fields
    if exchange.method == "HEAD" and b"range" in fields:
        # parts are defined for GET only (RFC 9110, 14.2)
        fields = {name: value for name, value in fields.items() if name != b"range"}
    response = file_response(fields, file)
    if more:
        response = registry_file_response(response, more)
    if response.file is None or not response.pieces or exchange.method == "HEAD":
        if file.identity is None or not is_unchanged(file):
            raise NotTheCheckedFileError(file, "is missing or has changed")
        return PreparedResponse(response)
    return PreparedResponse(response, open_to_send(file))
