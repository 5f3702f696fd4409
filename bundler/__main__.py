"""Where the `bundler` program begins: an interruption while the rest is being loaded is quiet too."""

from __future__ import annotations

import os
import sys
import threading

EXIT_INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it."""
    try:
        from bundler.cli import main as run
        from bundler.console import end_process
    except KeyboardInterrupt:
        # nothing has begun, so nothing is left to tidy up; the interpreter's own farewell would print a traceback
        os._exit(EXIT_INTERRUPTED)
    code = run()
    if threading.active_count() > 1:
        # an interrupted or failed run does not wait for its threads
        end_process(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
