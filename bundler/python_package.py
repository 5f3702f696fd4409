"""How a Python package is installed that only some commands need, in words that an operator can type.

Owns those words; what is missing, and what for, is said by whoever needs it (`errors.ToolMissingError`).
"""

from __future__ import annotations

import shlex
import sys

from bundler.translation import tr


def installing(package: str) -> str:
    """Return, for "Install …", how a package gets to the Python that runs this; its name is that of the index."""
    command = shlex.join((sys.executable or "python3", "-m", "pip", "install", package))
    return tr(
        "{package}: type `{command}` (the tool that a bundle carries cannot have it; use an installed one)",
        package=package,
        command=command,
    )
