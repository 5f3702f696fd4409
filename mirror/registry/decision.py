"""What a request to the registry gets: a file, or a JSON document in the spec's form (distribution spec 1.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from mirror.tree.served import File

ReplyFields = tuple[tuple[str, str], ...]
# the spec's codes ("Error Codes"), and of the reference registry those that the spec has no word for
Code = Literal[
    "BLOB_UNKNOWN", "DIGEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "PAGINATION_NUMBER_INVALID",
    "RANGE_INVALID", "SIZE_INVALID", "TOOMANYREQUESTS", "UNAUTHORIZED", "UNKNOWN", "UNSUPPORTED",
]  # fmt: skip
JSON_TYPE = "application/json"
# what Docker looks for before it believes that this is a registry; the spec allows it ("Legacy Docker support")
VERSION_FIELD = ("Docker-Distribution-API-Version", "registry/2.0")


class FileReply(NamedTuple):
    """A file, whole or in part; `fields` stand beside those that every file has."""

    file: File
    fields: ReplyFields


class JsonReply(NamedTuple):
    """A JSON document of our own."""

    status: int
    body: bytes
    media_type: str = JSON_TYPE
    fields: ReplyFields = (VERSION_FIELD,)


Decision = FileReply | JsonReply


def refused(status: int, code: Code, message: str, detail: Json = None, fields: ReplyFields = ()) -> JsonReply:
    """Return an error as the spec words it ("Error Codes")."""
    error = {"code": code, "message": message, "detail": detail}
    body = json.dumps({"errors": [error]}, ensure_ascii=False).encode() + b"\n"
    return JsonReply(status, body, JSON_TYPE, (VERSION_FIELD, *fields))


def cannot(status: int) -> JsonReply:
    """Return the error for a request without a route: one that writes, one that cannot be read."""
    code, message = _REFUSALS.get(status, ("UNSUPPORTED", "this is no request that can be answered"))
    return refused(status, code, message)


_REFUSALS: dict[int, tuple[Code, str]] = {
    400: ("NAME_INVALID", "the address cannot be read"),
    401: ("UNAUTHORIZED", "a name and a password are needed"),
    404: ("UNSUPPORTED", "the registry has no such address"),
    405: ("UNSUPPORTED", "this registry only reads: it gives out the images of its bundles and takes none"),
    413: ("SIZE_INVALID", "content has no use here"),
    416: ("RANGE_INVALID", "there are no such bytes"),
    429: ("TOOMANYREQUESTS", "too many at once; come again in a few seconds"),
    500: ("UNKNOWN", "the bytes are missing on the mirror or have changed; its log and /-/health name the file"),
    503: ("TOOMANYREQUESTS", "too many at once; come again in a few seconds"),
}
