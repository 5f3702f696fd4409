"""Between HTTP and the registry below `/v2/`: from a request of the one to the other's, and back. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mirror.http.request_fields import host_name
from mirror.http.response import METHODS, OutgoingResponse, ResponseFields
from mirror.registry.decision import cannot
from mirror.registry.routes import RegistryRequest, decide

if TYPE_CHECKING:
    from mirror.http.exchange import Exchange
    from mirror.http.request_target import RequestTarget
    from mirror.registry.decision import Decision, JsonReply, ReplyFields
    from mirror.registry.repositories import RepositoryIndex

REGISTRY = "v2"
_PRECONDITION_FAILED = 412
_RANGE_NOT_SATISFIABLE = 416


def is_registry(target: RequestTarget) -> bool:
    """Tell whether a target is the registry's."""
    return target.path == REGISTRY or target.path.startswith("v2/")


def is_registry_url(raw_target: bytes) -> bool:
    """Tell the same of a target as it came, which may be one that cannot be read."""
    return raw_target.startswith(b"/v2/") or raw_target == b"/v2"


def registry_decision(exchange: Exchange, target: RequestTarget, index: RepositoryIndex) -> Decision:
    """Decide what a request to the registry gets."""
    fields = exchange.fields
    request = RegistryRequest(
        path=target.path.removeprefix(REGISTRY).lstrip("/"),
        query=target.fields() if target.query else {},
        accept=fields.get(b"accept"),
        own_host=host_name(fields.get(b"host", "")),
    )
    return decide(index, request)


def registry_response(reply: JsonReply) -> OutgoingResponse:
    """Return a document of the registry's own as a response."""
    sized = [
        ("Content-Type", reply.media_type),
        ("Content-Length", str(len(reply.body))),
        ("Cache-Control", "no-store"),
    ]
    return OutgoingResponse(reply.status, [*sized, *reply.fields], (reply.body,))


def registry_refusal(status: int, fields: ResponseFields | None = None, *, closes: bool = False) -> OutgoingResponse:
    """Return an error in the spec's form, for what the registry has no route for."""
    allowed = [("Allow", METHODS)] if status == 405 else []
    response = registry_response(cannot(status))
    return replace(response, fields=[*response.fields, *allowed, *(fields or ())], closes=closes)


def registry_file_response(response: OutgoingResponse, more: ReplyFields) -> OutgoingResponse:
    """Return the response about a file as the registry gives it: with fields of its own, and its words for errors."""
    if response.status in (_PRECONDITION_FAILED, _RANGE_NOT_SATISFIABLE):
        kept = [field for field in response.fields if field[0] in ("Content-Range", "Accept-Ranges")]
        return registry_refusal(response.status, kept)
    return replace(response, fields=[*response.fields, *more])
