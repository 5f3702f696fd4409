"""The published JSON schema (draft 2020-12) of the manifest, and the parts from which kinds build their item schemas.

Describes what `Fields` and the reader accept, as far as a schema can: neither duplicate keys and entries, nor the
expansion of variables (a string with a dollar is accepted wherever only certain words are allowed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.manifest.entries import MAX_ENTRIES
from bundler.manifest.header import MAX_VARIABLES, VARIABLE_PATTERN
from bundler.manifest.platform_names import KNOWN_ARCH, KNOWN_OS, MAX_PLATFORMS
from bundler.model.manifest import MANIFEST_VERSION, NAME_PATTERN, RELEASE_PATTERN, ROLES
from bundler.model.placement import MODES
from bundler.model.scope import PLATFORM_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json
    from bundler.model.manifest import EntryReader

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def words_or_variables(pattern: str) -> Mapping[str, Json]:
    """Return the schema of a string that matches the whole pattern, or contains a variable."""
    return {"type": "string", "pattern": rf"\$|^(?:{pattern})$"}


def described(schema: Mapping[str, Json], description: str) -> Json:
    """Return a schema with a sentence that editors show."""
    return {**schema, "description": description}


def list_of(item: Mapping[str, Json], *, max_items: int | None = None, unique: bool = True) -> Mapping[str, Json]:
    """Return the schema of a list that is not empty."""
    schema: dict[str, Json] = {"type": "array", "minItems": 1, "items": item}
    if unique:
        schema["uniqueItems"] = True
    if max_items is not None:
        schema["maxItems"] = max_items
    return schema


def mapping_of(properties: Mapping[str, Json], *, required: Sequence[str] = ()) -> dict[str, Json]:
    """Return the schema of a mapping with these keys and `x-…` keys, and no others."""
    schema: dict[str, Json] = {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = list(required)
    return schema


def one_of_keys(*keys: str, required: bool = False) -> list[Json]:
    """Return schemas, for `allOf`, that allow at most one of the keys, or exactly one when `required`."""
    some: Json = {"anyOf": [{"required": [key]} for key in keys]}
    pairs: list[Json] = [
        {"not": {"required": [first, second]}} for place, first in enumerate(keys) for second in keys[place + 1 :]
    ]
    return [some, *pairs] if required else pairs


# what the methods of `Fields` accept
TEXT: Mapping[str, Json] = {"type": "string", "minLength": 1}
TEXTS = list_of(TEXT)
TEXT_PAIRS: Mapping[str, Json] = {"type": "object", "minProperties": 1, "additionalProperties": TEXT}
FLAG: Mapping[str, Json] = {"type": "boolean"}
MODE = words_or_variables("|".join(f"0?{mode:o}" for mode in MODES))
ROLE_LIST = list_of(words_or_variables("|".join(ROLES)))
PLATFORM_LIST = list_of(
    words_or_variables(f"(?:{'|'.join(KNOWN_OS)})/(?:{'|'.join(KNOWN_ARCH)})(?:/[a-z0-9][a-z0-9._]*)?"),
    max_items=MAX_PLATFORMS,
)


def manifest_schema(kinds: Sequence[EntryReader[Any]]) -> Mapping[str, Json]:
    """Return the schema of a whole manifest that may list these kinds of content.

    A kind's item schema is inserted unchanged, so it must not refer to `#`.
    """
    lists: dict[str, Json] = {kind.name: list_of(kind.schema, max_items=MAX_ENTRIES, unique=False) for kind in kinds}
    variables: Json = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_VARIABLES,
        "propertyNames": {"pattern": f"^{VARIABLE_PATTERN.pattern}$", "not": {"enum": list(PLATFORM_VARIABLES)}},
        "additionalProperties": {"type": "string"},
    }
    header: dict[str, Json] = {
        "version": {"const": MANIFEST_VERSION},
        "name": words_or_variables(NAME_PATTERN.pattern),
        "release": words_or_variables(RELEASE_PATTERN.pattern),
        "platforms": PLATFORM_LIST,
        "vars": variables,
    }
    return {
        "$schema": DIALECT,
        "title": f"bundler manifest, version {MANIFEST_VERSION}",
        **mapping_of(header | lists, required=("version", "name")),
        "anyOf": [{"required": [name]} for name in lists],
    }
