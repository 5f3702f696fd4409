"""Run an iterator in a thread of its own, a bounded number of items ahead of its reader."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

T = TypeVar("T")


class _End:
    """The mark after the last item, with the exception that ended the iterator, or None."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def read_ahead(items: Generator[T], depth: int, *, stop: Callable[[], None] | None = None) -> Iterator[Iterator[T]]:
    """Yield the same items, in the same order, produced in another thread.

    Arguments:
        items: consumed, and closed at the end, in the other thread only.
        depth: how many items may wait.
        stop: called on leaving, to end what `items` may be waiting for.

    An exception of `items` is raised in the reader, after the items before it. Leaving the context stops the thread at
    its next item and waits for it.
    """
    queue: SimpleQueue[T | _End] = SimpleQueue()
    room = threading.Semaphore(depth)
    left = threading.Event()

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                room.acquire()
                if left.is_set():
                    break
                queue.put(item)
        except BaseException as caught:  # noqa: BLE001 - carried over to the reading thread, whatever it is
            error = caught
        finally:
            items.close()
        queue.put(_End(error))

    def received() -> Iterator[T]:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            room.release()
            yield item

    thread = threading.Thread(target=produce, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield received()
    finally:
        left.set()
        if stop is not None:
            stop()
        room.release()
        thread.join()
