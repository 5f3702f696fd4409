"""Signing keys for tests: made by `gpg` in a private home that is removed, and whose agent is ended, with the block.

with signing_home() as home:
    key = home.make_key("Test <test@example.org>")                   # RSA 2048, never expires
    old = home.make_key("Old", created="2015-01-01", expires="2020-01-01")
    (directory / "RPM-GPG-KEY-test").write_bytes(key.public)
    signature = key.detached(b"repomd bytes")                        # armored, as repomd.xml.asc
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GPG_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair that lies in a `SigningHome`.

    Arguments:
        home: the directory with the secret key.
        fingerprint: of the primary key, upper-case hex.
        user_id: its user id.
        public: the public key, armored, as it was when the key was made.
    """

    home: SigningHome
    fingerprint: str
    user_id: str
    public: bytes

    @property
    def key_id(self) -> str:
        """The long id, 16 hex digits in lower case."""
        return self.fingerprint[-16:].lower()

    @property
    def binary(self) -> bytes:
        """The public key without armor."""
        return self.home.gpg("--export", self.fingerprint)

    def detached(self, data: bytes, *, armored: bool = True, at: str = "", digest: str = "SHA256") -> bytes:
        """Return a detached signature over bytes; `at` (YYYY-MM-DD) is when it claims to be made."""
        armor = ["--armor"] if armored else []
        options = [*faked_time(at), *armor, "--digest-algo", digest, "--local-user", f"{self.fingerprint}!"]
        return self.home.gpg(*options, "--detach-sign", data=data)

    def expiring(self, expires: str) -> SigningKey:
        """Return this key with its expiry moved to a date (YYYY-MM-DD), said by a self-signature of the day before."""
        the_day_before = (dt.date.fromisoformat(expires) - dt.timedelta(days=1)).isoformat()
        self.home.gpg(*faked_time(the_day_before), "--quick-set-expire", self.fingerprint, expires)
        return SigningKey(self.home, self.fingerprint, self.user_id, self.home.public(self.fingerprint))

    def with_signing_subkey(self, algorithm: str = "rsa2048") -> tuple[SigningKey, str]:
        """Return this key with one more subkey, which from now on signs, and the subkey's fingerprint."""
        self.home.gpg("--quick-add-key", self.fingerprint, algorithm, "sign", "never")
        subkey = self.home.fingerprints(self.fingerprint)[-1]
        return SigningKey(self.home, self.fingerprint, self.user_id, self.home.public(self.fingerprint)), subkey


@dataclass(frozen=True, slots=True)
class SigningHome:
    """A GNUPGHOME of the test's own."""

    directory: Path

    def gpg(self, *arguments: str, data: bytes = b"") -> bytes:
        """Run gpg here and return its stdout; AssertionError with its stderr when it fails."""
        done = subprocess.run(
            ["gpg", "--batch", "--yes", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", *arguments],
            input=data,
            env={**os.environ, "GNUPGHOME": str(self.directory), "LC_ALL": "C"},
            capture_output=True,
            timeout=GPG_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def make_key(
        self, user_id: str = "Test", *, algorithm: str = "rsa2048", created: str = "", expires: str = "never"
    ) -> SigningKey:
        """Make a signing key.

        Arguments:
            algorithm: as gpg names it: rsa2048, rsa4096, dsa2048, ed25519 …
            created: YYYY-MM-DD, or "" for now; the gpg of this machine must sign after it.
            expires: YYYY-MM-DD, or never.
        """
        before = set(self.fingerprints())
        self.gpg(*faked_time(created), "--quick-generate-key", user_id, algorithm, "sign", expires)
        (fingerprint,) = set(self.fingerprints()) - before
        return SigningKey(self, fingerprint, user_id, self.public(fingerprint))

    def public(self, fingerprint: str) -> bytes:
        """Return a public key, armored."""
        return self.gpg("--armor", "--export", fingerprint)

    def fingerprints(self, *keys: str) -> list[str]:
        """Return the fingerprints of the keys here (or of these) and of their subkeys, in gpg's order."""
        listed = self.gpg("--with-colons", "--fixed-list-mode", "--list-keys", *keys).decode()
        return [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")]


def faked_time(day: str) -> list[str]:
    """Return the options with which gpg believes that it is noon (UTC) of a day; none for ""."""
    return ["--faked-system-time", f"{day.replace('-', '')}T120000"] if day else []


@contextmanager
def signing_home() -> Iterator[SigningHome]:
    """Yield an empty home for keys; its path is short, because the agent's socket lies in it (unix(7): 107 bytes)."""
    directory = Path(tempfile.mkdtemp(prefix="gpg-"))
    try:
        yield SigningHome(directory)
    finally:
        environment = {**os.environ, "GNUPGHOME": str(directory)}
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=environment, check=False, timeout=GPG_WITHIN_S)
        shutil.rmtree(directory, ignore_errors=True)
