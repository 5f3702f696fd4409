"""`bin/bundler` and `bin/mirror`, sh scripts that find the runtime for the machine they are called on; `install.sh`."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath
from bundler.trust.shell_check import with_signature_check

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS = ("bundler", "mirror")
INSTALL_PATH = BundlePath("install.sh")
_PROGRAM = "@PROGRAM@"


def own_scripts() -> Mapping[BundlePath, bytes]:
    """Return path -> content of the launchers and of what looks whether they can be used."""
    data = resources.files("bundler.kinds.runtime") / "data"
    text = (data / "launcher.sh").read_text(encoding="utf-8")
    launchers = {BundlePath(f"bin/{name}"): text.replace(_PROGRAM, name).encode() for name in PROGRAMS}
    install = with_signature_check((data / INSTALL_PATH).read_text(encoding="utf-8"))
    return {INSTALL_PATH: install.encode(), **launchers}
