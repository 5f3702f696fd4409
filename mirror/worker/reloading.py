"""One reload after the other, in whatever event loop a worker has: what comes meanwhile waits, and the newest wins.

Owns which snapshot is loaded next and what is reported to the supervisor; refuses to know what a protocol makes of one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from bundler.errors import BundlerError
from mirror.worker.control import Message
from mirror.worker.describe import describe
from mirror.worker.serving import Reload

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

_log = logging.getLogger("mirror.worker")


class Reloads:
    """The reloads of one worker.

    Arguments:
        watch: has a callable called when a descriptor is readable; returns what ends that.
        take_over: begins to serve a snapshot, or raises and leaves everything as it was.
    """

    def __init__(
        self,
        worker: Worker,
        watch: Callable[[int, Callable[[], None]], Callable[[], object]],
        take_over: Callable[[Serving], None],
    ) -> None:
        self._worker = worker
        self._watch = watch
        self._take_over = take_over
        self._running: Reload | None = None
        self._unwatch: Callable[[], object] | None = None
        self._next: Message | None = None

    def handle(self, message: Message) -> None:
        """Load what a `reload` asks for: now, or when the running one is done."""
        if self._running is not None:
            self._next = message
            return
        key_files = message.key_files or self._worker.serving.key_files
        try:
            self._running = Reload(self._worker.loader, key_files, message.generation)
            self._unwatch = self._watch(self._running.fileno(), self._done)
        except (OSError, RuntimeError) as error:
            # no descriptor, or no thread, is left
            self._running = None
            self._report("failed", f"a reload cannot begin: {error}", message.generation)

    def _done(self) -> None:
        reload, unwatch = self._running, self._unwatch
        if reload is None or unwatch is None:
            return
        unwatch()
        self._running = self._unwatch = None
        try:
            serving = reload.take()
            self._take_over(serving)
        except BundlerError as error:
            self._report("failed", error.text(), reload.generation)
        except Exception as error:  # noqa: BLE001 - whatever it is, what was served before goes on being served
            _log.exception("a reload failed unexpectedly")
            self._report("failed", f"{type(error).__name__}: {error}", reload.generation)
        else:
            self._report("reloaded", describe(serving.site, serving.registry.warnings), reload.generation)
        if self._next is not None:
            message, self._next = self._next, None
            self.handle(message)

    def _report(self, word: Literal["reloaded", "failed"], text: str, generation: int) -> None:
        self._worker.control.send(Message(word, text=text, generation=generation))
