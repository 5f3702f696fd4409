"""Take KubeEdge's steps of a role on this host: `python -m tests.integration.kubeedge_steps BUNDLE cloud|edge [TOKEN]`.

Prints the titles of the changes that were made, or the error; to be run in namespaces where the host is the test's own.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from bundler.errors import SiteError
from bundler.host.local_host import LocalHost
from bundler.site.applying import StepListener, apply_site, undo_site
from bundler.site.config.model import SiteConfig, SiteHost
from bundler.site.roles import steps_of
from bundler.site.step import ApplyOptions, SiteBundle, StepContext

SITE = SiteConfig((SiteHost("master", "cloud", "127.0.0.1"), SiteHost("edge1", "edge", "127.0.0.2")))


def main(directory: str, role: str, token_file: str = "") -> None:
    """Take the steps from kubeedge-files on, or undo them for the role `undo-cloud` or `undo-edge`."""
    root = Path(directory)
    digests = {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file()
    }
    verb, _, side = role.rpartition("-")
    known = "cloud" if side == "cloud" else "edge"
    steps = steps_of(known)  # type: ignore[arg-type] # one of the two
    first = [step.name for step in steps].index("kubeedge-files")
    chosen = tuple(step for step in steps[first:] if step.name not in ("mosquitto", "pause"))
    this = SITE.cloud if known == "cloud" else SITE.edges[0]
    at = StepContext(LocalHost(), SITE, this, SiteBundle(directory, digests), ApplyOptions(token_file=token_file))
    lines: list[str] = []
    try:
        if verb == "undo":
            undo_site(at.host, known, chosen, lines.append)  # type: ignore[arg-type] # one of the two
        else:
            listener = StepListener(lambda *_: None, lines.append, lambda _: None)
            apply_site(at, known, chosen, listener)  # type: ignore[arg-type] # one of the two
    except SiteError as error:
        lines.append(f"{error.step}: {error.what} / {error.remedy}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
