"""Reloads as a worker sees them: what another process has read is mapped, and served from the next request on.

Owns what is reported to the supervisor; refuses to know what a protocol makes of a snapshot.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from bundler.errors import BundlerError
from bundler.translation import tr
from mirror.worker.control import Message
from mirror.worker.describe import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.worker.serving import Serving
    from mirror.worker.worker import Worker

_log = logging.getLogger("mirror.worker")


class Reloads:
    """The reloads of one worker.

    Arguments:
        take_over: begins to serve a snapshot, or raises and leaves everything as it was.
    """

    def __init__(self, worker: Worker, take_over: Callable[[Serving], None]) -> None:
        self._worker = worker
        self._take_over = take_over

    def handle(self, message: Message) -> None:
        """Take over what a `reload` brings; its descriptor is closed."""
        try:
            text = self._taken_over(message)
        except BundlerError as error:
            self._worker.control.send(Message("failed", text=error.text(), generation=message.generation))
        except Exception as error:  # noqa: BLE001 - whatever it is, what was served before goes on being served
            _log.exception("a reload failed unexpectedly")
            text = f"{type(error).__name__}: {error}"
            self._worker.control.send(Message("failed", text=text, generation=message.generation))
        else:
            self._worker.control.send(Message("reloaded", text=text, generation=message.generation))
        finally:
            if message.descriptor is not None:
                os.close(message.descriptor)

    def _taken_over(self, message: Message) -> str:
        worker = self._worker
        if message.descriptor is None:
            raise ValueError(tr("no packed site came with the message"))
        key_files = message.key_files or worker.serving.key_files
        serving = worker.loader.open(message.descriptor, key_files, message.generation)
        self._take_over(serving)
        return describe(serving.site)
