"""Work that would hold up other requests for too long: passwords and digests, each in a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from mirror.tree.quarantine import hash_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.digest import Digest
    from mirror.http.auth import BasicCredentials
    from mirror.tree.identity import Identity
    from mirror.tree.served import File, FilePlace
    from mirror.worker.users import Users

# log-ins that may wait; a right password is checked once, so only guesses come in numbers
MAX_WAITING_LOGINS = 32
Result = TypeVar("Result")
Hashed = tuple["File | None", "Identity | None"]


class ThreadWork:
    """Two threads: one for passwords (`Users` wants no more), one for digests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._passwords = ThreadPoolExecutor(1, "passwords")
        self._digests = ThreadPoolExecutor(1, "digests")
        self._waiting = 0
        self._hashing: dict[tuple[FilePlace, Digest | None], asyncio.Future[Hashed]] = {}

    async def check_password(self, users: Users, credentials: BasicCredentials) -> bool | None:
        """Return whether a password is right, None when too many are waiting to be checked."""
        if self._waiting >= MAX_WAITING_LOGINS:
            return None
        self._waiting += 1
        try:
            return await self._loop.run_in_executor(self._passwords, users.check, *credentials)
        finally:
            self._waiting -= 1

    def run(self, work: Callable[[], Result], then: Callable[[Result | None], None]) -> None:
        """Have something read from the disk in the thread for digests (`Executor`)."""

        def done(future: asyncio.Future[Result]) -> None:
            if not future.cancelled():
                then(None if future.exception() else future.result())

        self._loop.run_in_executor(self._digests, work).add_done_callback(done)

    async def read(self, work: Callable[[], Result]) -> Result:
        """Return what is read from the disk in the thread for digests."""
        return await self._loop.run_in_executor(self._digests, work)

    async def hash_again(self, file: File) -> Hashed:
        """Return what `quarantine.hash_again` does; requests for the same file meanwhile wait for the same result."""
        key = (file.place, file.digest)
        running = self._hashing.get(key)
        if running is None:
            running = self._loop.run_in_executor(self._digests, hash_again, file)
            self._hashing[key] = running
            running.add_done_callback(lambda _: self._hashing.pop(key, None))
        # a request that gives up must not end it for the others
        return await asyncio.shield(running)

    def close(self) -> None:
        """Take no more work; what runs is not waited for."""
        self._passwords.shutdown(wait=False, cancel_futures=True)
        self._digests.shutdown(wait=False, cancel_futures=True)
