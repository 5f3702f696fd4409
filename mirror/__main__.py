"""Where the `mirror` program begins: an interruption while the rest is being loaded is quiet too."""

from __future__ import annotations

import os
import sys

EXIT_INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it."""
    try:
        from mirror.cli import main as run
    except KeyboardInterrupt:
        # nothing has begun, so nothing is left to tidy up; the interpreter's own farewell would print a traceback
        os._exit(EXIT_INTERRUPTED)
    sys.exit(run())


if __name__ == "__main__":
    main()
