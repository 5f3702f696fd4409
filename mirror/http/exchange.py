"""One request and what became of it, as values that travel from the parser to the log."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.http.response import OutgoingResponse
    from mirror.tree.open_file import OpenFile


@dataclass(slots=True)
class Exchange:
    """A request whose head was read.

    Arguments:
        method: upper case.
        raw_target: as it came.
        fields: lower-case name -> value, see `request_fields.read_fields`.
        keeps: whether the client wants the connection to stay open, by version and Connection field.
        http_1_0: whether the client speaks HTTP/1.0.
        remote: the client's address.
        user: who logged in, "" for nobody.
        only_registry: whether it came in where nothing but the registry is answered.
        refusal: a response that was decided on before the request was read to its end.
    """

    method: str
    raw_target: bytes
    fields: Mapping[bytes, str]
    keeps: bool
    http_1_0: bool
    remote: str
    user: str = ""
    only_registry: bool = False
    refusal: OutgoingResponse | None = None


@dataclass(frozen=True, slots=True)
class PreparedResponse:
    """A response that is ready to be sent.

    Arguments:
        response: what to send.
        file: the one that the response's spans are of, open, owned by whoever sends it; None without spans.
    """

    response: OutgoingResponse
    file: OpenFile | None = None


# a coroutine where deciding has to wait for something
EventualResponse = PreparedResponse | Coroutine[Any, Any, PreparedResponse]
