"""Credentials for plain files: the user's netrc, looked up by the host that is requested.

The file belongs to many programs, and is read as curl and wget read it: what is not known is passed over, and so is
what a program of the user's own has added (`method`, `port`, `protocol`). A `default` entry is ignored on purpose: it
would send one host's password to every mirror.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.net.interface import Credentials
from bundler.permissions import require_protected
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

# far more than any user has
MAX_NETRC_BYTES = 1024 * 1024
# a word in quotes that end on its line, with escapes (curl's lib/netrc.c), or what stands between blanks
_WORD = re.compile(r'"((?:\\.|[^"\\\n])*)"(?=\s|$)|(\S+)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_ACCOUNT_WORDS = ("login", "user", "password", "account")


def netrc_credentials(host: str, path: Path | None = None) -> Credentials | None:
    """Return the credentials of a host, or None.

    Arguments:
        host: the name without port.
        path: the file; by default the one that the variable NETRC names, else ~/.netrc. It may be absent.

    Raises SourceError when the file cannot be read, StorageError when everybody may write to it.
    """
    try:
        file = path or Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    except RuntimeError:
        # a user without HOME and without an entry in passwd, as in containers
        return None
    require_protected(file)
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_NETRC_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(
            ErrorId.CREDENTIALS_UNREADABLE,
            tr("cannot be read: {reason}", reason=error.strerror),
            where=str(file),
            remedy=tr("Mend the file, or point NETRC at another one."),
        ) from error
    return find_login(data.decode("utf-8", "surrogateescape"), host)


def find_login(text: str, host: str) -> Credentials | None:
    """Return what the first entry of a host says in the text of a netrc, or None. Pure."""
    words = _words(text)
    machine: str | None = None
    found: dict[str, str] = {}
    for word in words:
        if word == "machine" or word == "default":
            if found:
                break
            machine = next(words, "").lower() if word == "machine" else None
        elif word in _ACCOUNT_WORDS:
            value = next(words, "")
            if machine == host.lower():
                found.setdefault("login" if word == "user" else word, value)
    if "login" not in found and "password" not in found:
        return None
    return Credentials(found.get("login", ""), found.get("password", ""))


def _words(text: str) -> Iterator[str]:
    """Yield the words outside of macros, which end with an empty line, and of comments."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.lstrip().startswith("#"):
            continue
        for match in _WORD.finditer(line):
            if match[2] == "macdef":
                while next(lines, "").strip():
                    pass
                break
            yield match[2] if match[1] is None else _ESCAPE.sub(lambda one: _ESCAPED.get(one[1], one[1]), match[1])
