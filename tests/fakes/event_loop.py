"""An event loop whose events and times are made by a test: an implementation of `mirror.ftp.event_loop.EventLoop`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class HandEventLoop:
    """Remembers what is waited for.

    Arguments:
        waiting: descriptor -> who waits on it, and for which events.
        later: what is to be called once, with the seconds until then.
    """

    READ: int = 1
    WRITE: int = 4
    waiting: dict[int, tuple[Any, int]] = field(default_factory=dict)
    later: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def register(self, fd: int, instance: Any, events: int) -> None:
        assert fd not in self.waiting, "registered twice"
        self.waiting[fd] = (instance, events)

    def modify(self, fd: int, events: int) -> None:
        self.waiting[fd] = (self.waiting[fd][0], events)

    def unregister(self, fd: int) -> None:
        del self.waiting[fd]

    def call_later(self, seconds: float, target: Callable[[], object]) -> None:
        self.later.append((seconds, target))

    def call_every(self, seconds: float, target: Callable[[], object]) -> None:
        raise NotImplementedError

    def loop(self, timeout: float | None, blocking: bool) -> float | None:
        raise NotImplementedError

    def close(self) -> None:
        self.waiting.clear()

    @property
    def events(self) -> dict[int, int]:
        """What is waited for, by descriptor."""
        return {fd: events for fd, (_, events) in self.waiting.items()}

    def happen(self, fd: int, events: int) -> None:
        """Have events happen, as far as they are waited for; exceptions go to `handle_error`, as in the real loop."""
        instance, wanted = self.waiting[fd]
        try:
            if events & wanted & self.READ and instance.readable():
                instance.handle_read_event()
            if events & wanted & self.WRITE and instance.writable():
                instance.handle_write_event()
        except Exception:  # noqa: BLE001 - whatever it is, it goes to the handler
            instance.handle_error()

    def hang_up(self, fd: int) -> None:
        """Let the other side of a descriptor be gone."""
        self.waiting[fd][0].handle_close()

    def wait(self) -> float:
        """Let the time of the next call come, and return how long that was."""
        seconds, target = self.later.pop(0)
        target()
        return seconds
