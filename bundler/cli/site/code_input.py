"""How a code is brought to `bundler site join`: typed on the terminal, or in a file that only its owner reads.

Never by an argument, which everybody sees, nor by stdin, which may be a script.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.permissions import require_owner_only
from bundler.site.invitation.join_code import JoinCode, MistypedCodeError
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

_TERMINAL = "/dev/tty"
_MAX_BYTES = 4096
_TRIES = 3
_PROMPT = tr("Code of `bundler site invite` on the master: ")


def code_of(file: Path | None) -> JoinCode:
    """Return the code. Raises SiteError (SITE_CODE_INVALID), StorageError (PERMISSIONS_TOO_OPEN)."""
    return _from_terminal() if file is None else _from_file(file)


def _from_file(file: Path) -> JoinCode:
    try:
        with file.open("rb") as stream:
            require_owner_only(file, os.fstat(stream.fileno()))
            text = stream.read(_MAX_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise _invalid(tr("cannot be read: {reason}", reason=error.strerror), str(file)) from error
    try:
        return JoinCode.parse(text)
    except MistypedCodeError as error:
        raise _invalid(tr("holds no code: {error}", error=error), str(file)) from error


def _from_terminal() -> JoinCode:
    with ExitStack() as closing:
        try:
            terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            what = tr("there is no terminal to type the code on")
            raise _invalid(
                what, remedy=tr("Put the code into a file of mode 0600 and name it with --code-file.")
            ) from error
        closing.callback(os.close, terminal)
        for left in reversed(range(_TRIES)):
            os.write(terminal, _PROMPT.encode())
            line = os.read(terminal, _MAX_BYTES)
            if not line:
                break
            try:
                return JoinCode.parse(line.decode("ascii", "replace"))
            except MistypedCodeError as error:
                again = tr("That is no code: {error}. Try again.", error=error)
                last = tr("That is no code: {error}.", error=error)
                os.write(terminal, f"{again if left else last}\n".encode())
    raise _invalid(tr("no code was typed"))


def _invalid(what: str, where: str = "", remedy: str = "") -> SiteError:
    return SiteError(
        ErrorId.SITE_CODE_INVALID,
        what,
        where=where,
        remedy=remedy or tr("Take the code as `bundler site invite` on the master shows it."),
        step="",
    )
