"""An open file on its way to a client, which notices when somebody writes to it meanwhile.

`sendfile(2)` queues the pages of the file themselves, not copies: what is written to the file later is sent too. So the
last part of a listed file is copied; and before its last block goes out the client has to have taken all those pages,
for which whoever sends asks `most_untaken`, and the file has to be the checked one still. docs/adr/0056.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from mirror.tree.identity import identity_of
from mirror.tree.opening import NotTheCheckedFileError, open_checked

if TYPE_CHECKING:
    from mirror.tree.served import File

# of one system call, where the kernel moves the bytes, and where they are copied
SLICE_BYTES = 4 * 1024 * 1024
BLOCK_BYTES = 256 * 1024
# how much of the end is copied: of a client that takes so much in time nothing has to be waited for
COPIED_BYTES = 2 * 1024 * 1024
# sendfile(2) is not for every file system
_NO_SENDFILE = (errno.EINVAL, errno.ENOSYS)
_CHANGED = "was written to while it was sent"


class OpenFile:
    """A descriptor of the very file that was checked.

    Arguments:
        descriptor: open for reading; owned, and closed by `close`.
        file: what it is; a shared one (without a digest) may change, and is sent as it is.
    """

    __slots__ = ("_copied", "_descriptor", "_file", "_links", "_queued", "_sendfile")

    def __init__(self, descriptor: int, file: File) -> None:
        self._descriptor = descriptor
        self._file = file
        self._links = os.fstat(descriptor).st_nlink
        # of a small one all is the end, also where ranges come before it
        self._sendfile = file.digest is None or file.size > COPIED_BYTES
        # whether pages of the file were queued, and how much was sent since as copies
        self._queued, self._copied = False, 0

    @property
    def file(self) -> File:
        """What is open."""
        return self._file

    @property
    def queues_pages(self) -> bool:
        """Whether sending it may queue pages which the client has to have taken before the end."""
        return self._sendfile and self._file.digest is not None

    def copy_all(self) -> None:
        """Send copies alone from now on: nobody can tell what the client has taken."""
        self._sendfile = False

    def most_untaken(self, left: int, *, to_end: bool) -> int | None:
        """Return how many bytes may wait to be taken when the next ones are sent; None where that is no matter.

        Arguments:
            left, to_end: as of `send`.
        """
        is_last = left <= BLOCK_BYTES and self._is_compared(to_end=to_end)
        return self._copied if is_last and self._queued else None

    def block_bytes(self, left: int, *, to_end: bool) -> int:
        """Return how much `send` moves at once of what is left; `to_end` as there."""
        if not self._copies(left, to_end=to_end):
            return min(SLICE_BYTES, left - (COPIED_BYTES if self._is_compared(to_end=to_end) else 0))
        return min(BLOCK_BYTES, left)

    def send(self, socket: int, offset: int, limit: int, left: int, *, to_end: bool) -> int:
        """Send bytes to a non-blocking socket and return how many; BlockingIOError when it is full.

        Arguments:
            limit: the most to be sent.
            left: what is to be sent from this offset on.
            to_end: whether nothing of the file follows what is left: its last block is then held back if the file is no
                longer the checked one.

        Raises NotTheCheckedFileError; OSError of the socket, and of the disk (EIO).
        """
        if not self._copies(left, to_end=to_end):
            try:
                sent = os.sendfile(socket, self._descriptor, offset, min(limit, self.block_bytes(left, to_end=to_end)))
            except OSError as error:
                if error.errno not in _NO_SENDFILE:
                    raise
                self._sendfile = False
            else:
                if not sent:
                    raise self._shorter()
                self._queued, self._copied = True, 0
                return sent
        sent = os.write(socket, self.read(offset, min(limit, BLOCK_BYTES), left, to_end=to_end))
        self._copied += sent
        return sent

    def read(self, offset: int, limit: int, left: int, *, to_end: bool) -> bytes:
        """Return the next bytes; arguments and errors as of `send`."""
        data = os.pread(self._descriptor, min(limit, left), offset)
        if not data:
            raise self._shorter()
        # looked at after they were read: nothing that is written later changes them
        if len(data) == left and self._is_compared(to_end=to_end):
            self._require_unchanged()
        return data

    def _require_unchanged(self) -> None:
        status = os.fstat(self._descriptor)
        now, then = identity_of(status), self._file.identity
        if then is None or now == then:
            return
        # a name more or less, as the next bundle's unpacking makes, moves the change time and no byte
        if status.st_nlink != self._links and now._replace(ctime_ns=then.ctime_ns) == then:
            return
        raise NotTheCheckedFileError(self._file, _CHANGED)

    def close(self) -> None:
        """Close it; may be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read_ahead(self, offset: int, size: int) -> None:
        """Tell the kernel that so much will be read from there."""
        os.posix_fadvise(self._descriptor, offset, size, os.POSIX_FADV_SEQUENTIAL)

    def _copies(self, left: int, *, to_end: bool) -> bool:
        return not self._sendfile or (left <= COPIED_BYTES and self._is_compared(to_end=to_end))

    def _is_compared(self, *, to_end: bool) -> bool:
        return to_end and self._file.digest is not None

    def _shorter(self) -> NotTheCheckedFileError:
        return NotTheCheckedFileError(self._file, "became shorter while it was sent")


def open_to_send(file: File) -> OpenFile:
    """Open the very file that was checked. Raises NotTheCheckedFileError."""
    return OpenFile(open_checked(file), file)
