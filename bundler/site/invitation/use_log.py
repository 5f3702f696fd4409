"""What the master keeps of invitations: hashes of codes while they count, a line for each use; no code, no token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bundler.model.json_value import dump_pretty
from bundler.site.installer import STATE

if TYPE_CHECKING:
    from bundler.host.interface import Host
    from bundler.site.invitation.invitation_book import InvitationBook

INVITATIONS = f"{STATE}/invitations"
USES = f"{INVITATIONS}/uses.log"
BOOK_SCHEMA = "bundler.site-invitations/1"
MAX_KEPT_BYTES = 256 * 1024
# of one listener, beside what concerns an invitation: who only makes noise tells nobody more by more of it
MAX_NOISE_LINES = 500
_MODE, _DIRECTORY_MODE = 0o600, 0o700


class UseLog:
    """The file of one listener, and the log of all."""

    def __init__(self, host: Host, port: int) -> None:
        self._host = host
        self._book = f"{INVITATIONS}/{port}.json"
        self._kept = b""
        self._noise_lines = 0

    def keep(self, book: InvitationBook, certificate_sha256: bytes) -> None:
        """Write what the book knows. Raises StorageError."""
        self._host.make_directory(INVITATIONS, _DIRECTORY_MODE)
        data = dump_pretty(
            {
                "schema": BOOK_SCHEMA,
                "certificate_sha256": certificate_sha256.hex(),
                "invitations": book.value,
            }
        )
        if data != self._kept:
            self._host.write(self._book, data, _MODE)
            self._kept = data

    def note(self, address: str, host: str, outcome: str, *, noise: bool) -> bool:
        """Add a line to the log, whose oldest lines go; False when there was too much noise. Raises StorageError."""
        self._noise_lines += noise
        if noise and self._noise_lines > MAX_NOISE_LINES:
            return False
        if noise and self._noise_lines == MAX_NOISE_LINES:
            address, host, outcome = "-", "-", "no-further-lines"
        time = datetime.fromtimestamp(self._host.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kept = (self._host.read(USES) or b"")[-MAX_KEPT_BYTES:]
        if len(kept) == MAX_KEPT_BYTES:
            kept = kept.partition(b"\n")[2]
        self._host.write(USES, kept + f"{time} {address} {host or '-'} {outcome}\n".encode(), _MODE)
        return True

    def forget(self) -> None:
        """Remove the hashes: nobody listens any more."""
        self._host.remove(self._book)
