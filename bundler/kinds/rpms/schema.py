"""The JSON schema of one item of `rpms:`. Editors use it; the rules themselves are in `bundler.kinds.rpms.reading`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.rpms.entry import PLATFORMS
from bundler.manifest.schema import (
    FLAG,
    ROLE_LIST,
    TEXT,
    TEXTS,
    described,
    list_of,
    mapping_of,
    one_of_keys,
    words_or_variables,
)
from bundler.model.rpm.repo import DEFAULT_COST, DEFAULT_PATH, DEFAULT_PRIORITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json


_ONE_OR_MORE: Mapping[str, Json] = {"anyOf": [TEXT, TEXTS]}
_REPO: Mapping[str, Json] = {
    **mapping_of(
        {
            "id": described(TEXT, "unique within the entry; letters, digits, _ . : -"),
            "baseurl": described(_ONE_OR_MORE, "http, https, ftp, file, or a path relative to the manifest"),
            "mirrorlist": described(TEXT, "URL of a list of baseurls"),
            "metalink": described(TEXT, "URL of a metalink document"),
            "gpgkey": described(_ONE_OR_MORE, "URLs of the public keys"),
            "gpgcheck": described(FLAG, "whether packages have to be signed by a gpgkey; default true"),
            "repo_gpgcheck": described(FLAG, "whether the metadata have to be signed by a gpgkey; default false"),
            "priority": {
                "type": "integer",
                "minimum": 1,
                "maximum": DEFAULT_PRIORITY,
                "description": f"the lowest wins; default {DEFAULT_PRIORITY}",
            },
            "cost": {
                "type": "integer",
                "minimum": 0,
                "description": f"of equal packages the cheapest wins; default {DEFAULT_COST}",
            },
            "include": described(TEXTS, "shell globs: only these packages"),
            "exclude": described(TEXTS, "shell globs: never these packages"),
            "modules": described(TEXTS, "enabled module streams, name:stream"),
        },
        required=("id",),
    ),
    "allOf": one_of_keys("baseurl", "mirrorlist", "metalink", required=True),
}
RPM_SCHEMA: Mapping[str, Json] = mapping_of(
    {
        "path": described(TEXT, f"directory of the repository in the bundle; default {DEFAULT_PATH}"),
        "release": described({"anyOf": [TEXT, {"type": "number"}]}, "the target's release, for people"),
        "arch": described(words_or_variables("|".join(PLATFORMS)), "the target's architecture, as `uname -m` has it"),
        "repos": list_of(_REPO),
        "packages": described(TEXTS, "names, globs, NEVRAs, capabilities, /paths, @groups"),
        "installed": described(TEXT, "file with what the target has already, as `rpm -qa` prints it"),
        "weak_dependencies": described(FLAG, "whether recommended packages come along; default false"),
        "multilib": described(FLAG, "whether packages of the 32-bit sibling may come along; default false"),
        "roles": ROLE_LIST,
    },
    required=("arch", "repos", "packages"),
)
