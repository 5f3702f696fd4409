"""The JSON schema of one item of `runtime:`.

Editors use it; the rules themselves are in `bundler.kinds.runtime.reading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.source_reading import SOURCE_PROPERTIES, SOURCE_RULES
from bundler.manifest.schema import PLATFORM_LIST, TEXT, described, mapping_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

RUNTIME_SCHEMA: Mapping[str, Json] = mapping_of(
    {
        "python": {
            **mapping_of(SOURCE_PROPERTIES),
            "allOf": list(SOURCE_RULES),
            "description": "an archive with a relocatable CPython, as python-build-standalone publishes them",
        },
        "tool": described(TEXT, "a wheel of this tool; default: the running installation"),
        "platforms": described(PLATFORM_LIST, "default: those of the manifest's on which this tool runs"),
    },
    required=("python",),
)
