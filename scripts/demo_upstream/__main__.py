"""Serve the demo's tree; requests are logged on stderr."""

from __future__ import annotations

import signal
import sys
import threading

from scripts.demo_upstream.server import Upstream, demo_tree


def main() -> None:
    """Print the address once requests are accepted, then serve until SIGTERM or Ctrl-C."""
    with Upstream(demo_tree()) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        print(upstream.address, flush=True)
        sys.stdout.close()  # whoever waits for the address sees the end of the output
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        upstream.shutdown()


if __name__ == "__main__":
    # Threads inherit the mask: blocked everywhere, the signals are left for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
