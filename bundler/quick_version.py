"""`--version` before Click is loaded, which takes longer than all the rest of a start.

Click has the option as well, for help texts and for `--version` beside other words; both print the same. What cannot be
printed here is left to it, and with it the error.
"""

from __future__ import annotations

from os import write

from bundler import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FLAG = "--version"
_STDOUT = 1


def answered(program: str, arguments: Sequence[str]) -> bool:
    """Print the version where that is all that is asked for, and tell whether it was printed.

    Arguments:
        program: `bundler` or `mirror`.
        arguments: those of the program.
    """
    if list(arguments) != [FLAG]:
        return False
    line = f"{program}, version {__version__}\n".encode()
    try:
        return write(_STDOUT, line) == len(line)
    except OSError:
        return False
