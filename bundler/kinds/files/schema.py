"""The JSON schema of one item of `files:`.

Editors use it; the rules themselves are in `bundler.kinds.files.reading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.source_reading import SOURCE_PROPERTIES, SOURCE_RULES
from bundler.manifest.schema import (
    MODE,
    PLATFORM_LIST,
    ROLE_LIST,
    TEXT,
    TEXT_PAIRS,
    described,
    mapping_of,
    one_of_keys,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

FILE_SCHEMA: Mapping[str, Json] = {
    **mapping_of(
        {
            "path": described(TEXT, "where it lies in the bundle; ${os}, ${arch}, ${variant} per platform"),
            "platforms": described(PLATFORM_LIST, "default: the manifest's"),
            **SOURCE_PROPERTIES,
            "checksum_path": described(TEXT, "where that checksum file lands; it must hold the hex digits alone"),
            "member": described(TEXT, "the one file of the archive that is wanted"),
            "members": described(TEXT_PAIRS, "files and directories/ of the archive -> where they land"),
            "mode": described(MODE, "default: 0644, or the member's own"),
            "roles": ROLE_LIST,
        }
    ),
    "allOf": [
        *one_of_keys("path", "members", required=True),
        *SOURCE_RULES,
        *one_of_keys("checksum_path", "member", "members"),
    ],
    "dependentRequired": {"checksum_path": ["checksum_url"]},
}
