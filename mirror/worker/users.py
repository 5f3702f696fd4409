"""Names and passwords from an htpasswd file, bcrypt only. Owns who may log in; refuses to know a protocol.

Checking a password takes bcrypt a twentieth of a second or more on purpose, so a right one is remembered, as a keyed
hash, until the file is read again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

# htpasswd -B writes $2y$; the others are the same function (bcrypt's "Version history"). Costs are those that
# htpasswd -C takes: a higher one would keep a thread busy for minutes. The salt's 22nd character holds but two bits.
_BCRYPT = re.compile(rb"\$2[abxy]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
MAX_USERS_BYTES = 4 * 1024 * 1024
MAX_PASSWORD_BYTES = 1024
# bcrypt looks at no more; its library refuses longer ones
_BCRYPT_BYTES = 72
_MAX_REMEMBERED = 4096
_COST = slice(4, 6)


class Users:
    """Who may log in.

    Arguments:
        hashes: name -> bcrypt hash; not empty.
    """

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        self._hashes = hashes
        # what an unknown name is compared with: as costly as the costliest, so that time tells nobody who is known
        self._nobody = b"$2b$%s$%s" % (max(hashed[_COST] for hashed in hashes.values()), b"." * 53)
        self._key = secrets.token_bytes(32)
        self._remembered: set[bytes] = set()

    def remembers(self, name: str, password: bytes) -> bool:
        """Tell at once whether this very password was found right before."""
        return self._mark(name, password) in self._remembered

    def check(self, name: str, password: bytes) -> bool:
        """Tell whether the password is right; slow, so call it from a thread. One thread at a time."""
        import bcrypt  # takes time to load, and most mirrors have no users

        known = self._hashes.get(name)
        usable = len(password) <= MAX_PASSWORD_BYTES and b"\0" not in password
        right = bcrypt.checkpw(password[:_BCRYPT_BYTES] if usable else b"", known or self._nobody)
        if not (right and usable and known is not None):
            return False
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered.add(self._mark(name, password))
        return True

    def _mark(self, name: str, password: bytes) -> bytes:
        # the length keeps ("ab", "c") and ("a", "bc") apart
        message = f"{len(name)} {name} ".encode(errors="surrogatepass") + password
        return hmac.new(self._key, message, hashlib.sha256).digest()


def read_users(data: bytes, where: str) -> Users:
    """Read an htpasswd file; empty lines and lines that begin with `#` are skipped.

    Raises ServeError (SERVE_USERS_INVALID) naming the first line that is no `name:$2y$…`; never with its content.
    """
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        name, _, hashed = text.partition(b":")
        if not name or not _BCRYPT.fullmatch(hashed):
            raise _invalid(
                where,
                tr("line {number} is not NAME:HASH with a bcrypt hash ($2y$…) of a cost from 4 to 17", number=number),
            )
        try:
            known = name.decode()
        except UnicodeDecodeError as error:
            raise _invalid(where, tr("the name on line {number} is not UTF-8", number=number)) from error
        if known in hashes:
            # Apache goes by the first, others by the last: whoever revokes a password must know which
            raise _invalid(where, tr("the name on line {number} is there twice", number=number))
        hashes[known] = hashed
    if not hashes:
        raise _invalid(where, tr("it names nobody"))
    return Users(hashes)


def _invalid(where: str, what: str) -> ServeError:
    return ServeError(
        ErrorId.SERVE_USERS_INVALID,
        what,
        where=where,
        remedy=tr("Write it with `htpasswd -B FILE NAME`; other hashes than bcrypt are not accepted."),
    )
