"""What stands for the tool on an edge in tests of fleets: shows its code as the tool does; steps are played.

A host whose name ends in `bad` fails in its steps.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bundler.cli.site.code_input import code_of
from bundler.errors import SiteError
from bundler.site.invitation.join_client import shown_answer


def main(words: list[str]) -> int:
    """Answer as `bundler site join` and `bundler site plan edge` do."""
    options = dict(zip(words[2::2], words[3::2], strict=False)) if words[1] == "join" else {}
    host = words[words.index("--host") + 1]
    steps = [{"name": "hosts", "state": "to-do", "changed": ["add to /etc/hosts"]}]
    value: dict[str, object] = {"schema": f"bundler.site-{words[1]}/1", "host": host, "steps": steps}
    if words[1] == "join":
        steps[0].pop("state")
        code_file = Path(options["--code-file"])
        name = urlsplit(options["--mirror"]).hostname or ""
        try:
            answer = shown_answer(name, int(options["--port"]), code_of(code_file), host=host)
        except SiteError as error:
            value = {"schema": "bundler.error/1", "id": error.id, "what": error.what, "where": error.where}
            sys.stdout.write(json.dumps(value))
            return 9
        Path("/run/played-token").write_text(answer.token)
        Path("/run/played-mode").write_text(f"{code_file.stat().st_mode & 0o777:o}")
    if host.endswith("bad"):
        value = {"schema": "bundler.error/1", "id": "site-unmet", "what": "no room", "where": "/var"}
    sys.stderr.write("what stands on stderr\n")
    sys.stdout.write(json.dumps(value))
    return 9 if host.endswith("bad") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
