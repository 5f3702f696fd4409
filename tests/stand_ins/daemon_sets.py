"""The DaemonSets of kubectl's stand-in: `daemon_sets.py DIRECTORY WORDS…`, the words of `kubectl get` and `patch`.

Played: the controller. Whatever is patched is rolled out at once, so a status always follows its generation. JSON
patches are those of RFC 6902 without `copy` and `move`; a test that does not hold answers as the API server does.
Runs on hosts that have nothing but Python: it imports nothing of ours.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INVALID = "The request is invalid: the server rejected our request due to an error in our request"


def main(directory: str, *words: str) -> int:
    """Answer one command of kubectl."""
    file = Path(directory) / "daemonsets.json"
    listed: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    options = dict(word.split("=", 1) for word in words if word.startswith("--") and "=" in word)
    verb, kind, *names = [word for word in words if not word.startswith("-")]
    if kind == "daemonsets":
        return _print({"items": listed})
    key = (options["--namespace"], names[0])
    found = next((one for one in listed if (one["metadata"]["namespace"], one["metadata"]["name"]) == key), None)
    if found is None:
        return _fail(f'Error from server (NotFound): daemonsets.apps "{names[0]}" not found')
    if verb == "get":
        return _print(found)
    text = options["--patch"] if "--patch" in options else Path(options["--patch-file"]).read_text()
    patched = with_patch(found, json.loads(text))
    if patched is None:
        return _fail(INVALID)
    if "--dry-run" in options:
        return 0
    metadata = patched["metadata"]
    metadata["generation"] += 1
    metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
    patched["status"]["observedGeneration"] = metadata["generation"]
    partial = file.with_suffix(".partial")
    with partial.open("w") as stream:
        json.dump([patched if one is found else one for one in listed], stream)
        stream.flush()
        # what a cluster has taken is on its disk
        os.fsync(stream.fileno())
    partial.rename(file)
    return 0


def with_patch(value: Any, patch: Sequence[Mapping[str, Any]]) -> Any | None:
    """Return a value with a patch applied; None where one of its tests does not hold or a place is not there."""
    result = copy.deepcopy(value)
    for operation in patch:
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        try:
            place = result
            for part in above:
                place = place[int(part)] if isinstance(place, list) else place[part]
            if not _done(place, last, operation):
                return None
        except (KeyError, IndexError, TypeError):
            return None
    return result


def _done(place: Any, last: str, operation: Mapping[str, Any]) -> bool:
    key: Any = int(last) if isinstance(place, list) and last != "-" else last
    match operation["op"]:
        case "test":
            return bool(place[key] == operation["value"])
        case "remove":
            del place[key]
        case "add" if isinstance(place, list):
            place.insert(len(place) if last == "-" else key, operation["value"])
        case _:
            place[key] = operation["value"]
    return True


def _print(value: Any) -> int:
    sys.stdout.write(f"{json.dumps(value)}\n")
    return 0


def _fail(what: str) -> int:
    sys.stderr.write(f"{what}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
