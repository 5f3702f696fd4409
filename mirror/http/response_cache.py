"""Small files that were just served, with the head they go out with: each is found by the request target as it came.

Every file is checked again once a second, and everything is forgotten with a reload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mirror.http.heads import rest_of_head
from mirror.tree.opening import NotTheCheckedFileError, is_unchanged

if TYPE_CHECKING:
    from mirror.http.request_fields import RequestFields
    from mirror.http.response import OutgoingResponse
    from mirror.tree.open_file import OpenFile
    from mirror.tree.served import File

# files up to this size are kept, and all of them together; the rest is left to the kernel's own cache
MAX_FILE_BYTES = 64 * 1024
MAX_TOTAL_BYTES = 8 * 1024 * 1024
# what clients of registries accept takes a third of it
MAX_ACCEPT_CHARACTERS = 1024
# requests that are known again by their very bytes: how long each may be, and how many
MAX_REQUEST_BYTES = 512
MAX_REQUESTS = 2048


class CachedResponse:
    """A whole response: `rest` follows `Heads.opening`, and holds the file's bytes too.

    `accept` is the Accept field for which it is the response; None when it is the response to any.
    """

    __slots__ = ("accept", "bundle", "checked_s", "file", "rest", "size")

    def __init__(self, file: File, rest: bytes, checked_s: int, accept: str | None = None) -> None:
        self.accept = accept
        self.file = file
        self.rest = rest
        self.size = file.size
        self.bundle = file.bundle
        self.checked_s = checked_s


class KnownRequest(NamedTuple):
    """What the parser made of a plain request, so that the same bytes need not be parsed again.

    Hundreds of nodes with the same packager ask for the same file in the same words.
    """

    response: CachedResponse
    target: bytes
    fields: RequestFields


class ResponseCache:
    """The cache of one worker."""

    def __init__(self) -> None:
        self._by_request: dict[bytes, KnownRequest] = {}
        self._by_target: dict[bytes, CachedResponse] = {}
        self._bytes = 0

    def get(self, raw_target: bytes, now_s: int) -> CachedResponse | None:
        """Return the response to a plain GET for a target; what changed on the disk is noticed within a second.

        The bytes are right in any case: they were read from the checked file.
        """
        cached = self._by_target.get(raw_target)
        if cached is None or cached.checked_s == now_s:
            return cached
        if not is_unchanged(cached.file):
            return None
        cached.checked_s = now_s
        return cached

    def known(self, request: bytes, now_s: int) -> KnownRequest | None:
        """Return what a whole request is, when the same bytes came before and its file is still the checked one."""
        known = self._by_request.get(request)
        if known is None or known.response.checked_s == now_s:
            return known
        # `get` checks the file, and finds another response where the old one was replaced
        return known if self.get(known.target, now_s) is known.response else None

    def remember(self, request: bytes, known: KnownRequest) -> None:
        """Keep what a whole request is; nothing before or after it may be in these bytes."""
        if len(request) <= MAX_REQUEST_BYTES:
            if len(self._by_request) >= MAX_REQUESTS:
                self._by_request.clear()
            self._by_request[request] = known

    def keep(
        self, raw_target: bytes, response: OutgoingResponse, open_file: OpenFile, now_s: int, accept: str | None = None
    ) -> None:
        """Keep the response to a plain GET, when it is small enough; the file stays the caller's.

        Arguments:
            accept: the request's Accept field, "" without one, where the response depends on it.
        """
        file = response.file
        if file is None or response.status != 200 or file.size > MAX_FILE_BYTES or file.digest is None:
            return
        if accept is not None and len(accept) > MAX_ACCEPT_CHARACTERS:
            return
        try:
            body = open_file.read(0, file.size, file.size, to_end=True) if file.size else b""
        except (NotTheCheckedFileError, OSError):
            # whoever sends it meets the same
            return
        if len(body) != file.size:
            return
        rest = rest_of_head(response.fields) + body
        if self._bytes + len(rest) > MAX_TOTAL_BYTES:
            self.forget()
        if raw_target not in self._by_target:
            self._bytes += len(rest) + len(raw_target) + len(accept or "")
        else:
            # the bytes of the response that is replaced must not stay
            self._by_request.clear()
        self._by_target[raw_target] = CachedResponse(file, rest, now_s, accept)

    def forget(self) -> None:
        """Drop everything."""
        self._by_target.clear()
        self._by_request.clear()
        self._bytes = 0
