"""An archive that comes in through a pipe: read once, as it arrives, by a thread that can be told to stop waiting."""

from __future__ import annotations

import io
import os
import select
from typing import BinaryIO

from bundler.durable import storage_errors


class ArchivePipe(io.RawIOBase, BinaryIO):
    """The bytes of a descriptor; a BinaryIO only because readers require one.

    Arguments:
        descriptor: stays open.
        where: its name, for messages.
    """

    def __init__(self, descriptor: int, where: str) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._where = where
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed asks for any buffer; readers hand in these
        """Wait for bytes; 0 at their end, and once it was stopped. Raises StorageError."""
        with storage_errors(self._where):
            waiting = select.poll()
            waiting.register(self._descriptor, select.POLLIN)
            waiting.register(self._stop, select.POLLIN)
            if any(descriptor == self._stop for descriptor, _ in waiting.poll()):
                return 0
            return os.readv(self._descriptor, [buffer])

    def stop(self) -> None:
        """End what waits for more, now and from now on: whoever writes may leave it waiting for ever."""
        os.eventfd_write(self._stop, 1)

    def close(self) -> None:
        """Leave the descriptor to whoever opened it."""
        if not self.closed:
            os.close(self._stop)
        super().close()
