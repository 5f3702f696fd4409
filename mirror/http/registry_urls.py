"""Between HTTP and the registry below `/v2/`: a request as its question, its decision as an answer. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mirror.http.answer import METHODS, Answer, Fields
from mirror.http.request_fields import host_name
from mirror.registry.routes import Question, answer_to
from mirror.registry.decision import cannot

if TYPE_CHECKING:
    from mirror.http.exchange import Exchange
    from mirror.http.request_target import Target
    from mirror.registry.decision import Decision, Said
    from mirror.registry.decision import Fields as MoreFields
    from mirror.registry.repositories import Book

REGISTRY = "v2"
_PRECONDITION_FAILED = 412
_RANGE_NOT_SATISFIABLE = 416


def is_registry(target: Target) -> bool:
    """Tell whether a target is the registry's."""
    return target.path == REGISTRY or target.path.startswith("v2/")


def is_registry_url(raw_target: bytes) -> bool:
    """Tell the same of a target as it came, which may be one that cannot be read."""
    return raw_target.startswith(b"/v2/") or raw_target == b"/v2"


def registry_decision(exchange: Exchange, target: Target, book: Book) -> Decision:
    """Decide what a request to the registry gets."""
    fields = exchange.fields
    question = Question(
        path=target.path.removeprefix(REGISTRY).lstrip("/"),
        query=target.fields() if target.query else {},
        accept=fields.get(b"accept"),
        own_host=host_name(fields.get(b"host", "")),
    )
    return answer_to(book, question)


def registry_answer(said: Said) -> Answer:
    """Return an answer of the registry's own words."""
    sized = [("Content-Type", said.media_type), ("Content-Length", str(len(said.body))), ("Cache-Control", "no-store")]
    return Answer(said.status, [*sized, *said.fields], (said.body,))


def registry_refusal(status: int, fields: Fields | None = None, *, closes: bool = False) -> Answer:
    """Return an error in the spec's form, for what is no question that the registry could answer."""
    allowed = [("Allow", METHODS)] if status == 405 else []
    answer = registry_answer(cannot(status))
    return replace(answer, fields=[*answer.fields, *allowed, *(fields or ())], closes=closes)


def registry_file_answer(answer: Answer, more: MoreFields) -> Answer:
    """Return the answer about a file as the registry gives it: with fields of its own, and its words for errors."""
    if answer.status in (_PRECONDITION_FAILED, _RANGE_NOT_SATISFIABLE):
        kept = [field for field in answer.fields if field[0] in ("Content-Range", "Accept-Ranges")]
        return registry_refusal(answer.status, kept)
    return replace(answer, fields=[*answer.fields, *more])
