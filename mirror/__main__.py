"""Where the `mirror` program begins and ends."""

from __future__ import annotations

from bundler import interruption

interruption.end_quietly()


def main() -> None:
    """Load the command line and run it."""
    import sys

    from bundler import quick_version

    if quick_version.answered("mirror", sys.argv[1:]):
        return
    from bundler.console import end_process
    from mirror.cli import main as run

    try:
        interruption.raise_interrupts()
        code = run()
        interruption.finish_quietly()
    except KeyboardInterrupt:
        # at the very edges of `run`, which reports every other one itself
        end_process(interruption.EXIT_INTERRUPTED)
    sys.exit(code)


if __name__ == "__main__":
    main()
