"""The JSON schema of one item of `images:`. Editors use it; the rules are in `bundler.kinds.images.reading`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.manifest import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

_WORDS: Json = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
_ROLES: Json = {"type": "array", "items": {"enum": list(ROLES)}, "minItems": 1, "uniqueItems": True}
_NAME: Json = {"type": "string", "minLength": 1, "description": "name:tag, name@sha256:… or name:tag@sha256:…"}
IMAGE_SCHEMA: Mapping[str, Json] = {
    "oneOf": [
        _NAME,
        {
            "type": "object",
            "properties": {"name": _NAME, "as": _WORDS, "platforms": _WORDS, "roles": _ROLES},
            "patternProperties": {"^x-": True},
            "required": ["name"],
            "additionalProperties": False,
        },
    ]
}
