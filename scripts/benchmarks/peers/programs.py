"""Where the peers' programs lie, and how each is had: Debian's packages, and Go modules, built into a cache.

Nothing of them comes into the checkout, and nothing is installed unless somebody asks for it (`--install`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.serve_sides import PROGRAM_PATH
from tests.programs import packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubeedge-bundler-peers"
# program -> package and version of its Go module
GO_PROGRAMS: Mapping[str, str] = {
    "crane": "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
    "regctl": "github.com/regclient/regclient/cmd/regctl@v0.11.7",
    "regsync": "github.com/regclient/regclient/cmd/regsync@v0.11.7",
    "registry": "github.com/distribution/distribution/v3/cmd/registry@v3.1.2",
    "caddy": "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9",
}


def found(name: str) -> str | None:
    """Return where a program lies, None where it is not installed."""
    return shutil.which(name, path=f"{CACHE}:{PROGRAM_PATH}")


def missing(names: Iterable[str]) -> list[str]:
    """Return those that are not installed."""
    return [name for name in names if found(name) is None]


def install_line(name: str) -> str:
    """Return the command that installs a program."""
    if name in GO_PROGRAMS:
        return f"GOBIN={CACHE} go install {GO_PROGRAMS[name]}"
    return f"apt-get install --no-install-recommends {packages().get(name, name)}"


def install_go_programs() -> None:
    """Build what is missing of the Go programs, where `found` looks. Ends the benchmark where one cannot be built."""
    for name in missing(GO_PROGRAMS):
        print(f"building {name}", flush=True)
        environment = {**os.environ, "GOBIN": str(CACHE)}
        try:
            subprocess.run(["go", "install", GO_PROGRAMS[name]], check=True, env=environment)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            raise SystemExit(f"scripts/bench: {name} could not be built: {error}") from error
