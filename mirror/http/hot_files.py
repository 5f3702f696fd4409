"""Small files that were just served, with the head they go out with: each is found by the request target as it came.

A file is looked at again (one stat call) before its bytes are used, and everything is forgotten with a reload.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mirror.http.heads import rest_of_head
from mirror.tree.opening import is_unchanged

if TYPE_CHECKING:
    from mirror.http.answer import Answer
    from mirror.tree.served import File

# files up to this size are kept, and all of them together; the rest is left to the kernel's own cache
MAX_FILE_BYTES = 64 * 1024
MAX_TOTAL_BYTES = 8 * 1024 * 1024


class HotFile(NamedTuple):
    """A whole answer: `rest` follows `Heads.opening`, and holds the file's bytes too."""

    file: File
    rest: bytes


class HotFiles:
    """The cache of one worker."""

    def __init__(self) -> None:
        self._by_target: dict[bytes, HotFile] = {}
        self._bytes = 0

    def get(self, raw_target: bytes) -> HotFile | None:
        """Return the answer to a plain GET for a target, if its file is still the checked one."""
        hot = self._by_target.get(raw_target)
        return hot if hot is not None and is_unchanged(hot.file) else None

    def keep(self, raw_target: bytes, answer: Answer, descriptor: int) -> None:
        """Keep the answer to a plain GET, when it is small enough; the descriptor stays the caller's."""
        file = answer.file
        if file is None or answer.status != 200 or file.size > MAX_FILE_BYTES or file.digest is None:
            return
        body = os.pread(descriptor, file.size + 1, 0)
        if len(body) != file.size:
            return
        rest = rest_of_head(answer.fields) + body
        if self._bytes + len(rest) > MAX_TOTAL_BYTES:
            self.forget()
        if raw_target not in self._by_target:
            self._by_target[raw_target] = HotFile(file, rest)
            self._bytes += len(rest) + len(raw_target)

    def forget(self) -> None:
        """Drop everything."""
        self._by_target.clear()
        self._bytes = 0
