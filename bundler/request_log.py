"""A line for each request that was answered or failed: what was asked, the status, the bytes that came, the time.

Owns what such a line says; refuses to know who reads it, and which parts of a URL are secret (its callers do).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import BundlerError
from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(slots=True)
class RequestRecord:
    """What is known of one request so far; `status` is a word or number of the protocol, "" before there is any."""

    status: str = ""
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Tells of requests as they end.

    Arguments:
        tell: takes a line.
        now_s: a clock.
    """

    tell: Callable[[str], None]
    now_s: Callable[[], float] = time.monotonic

    @contextmanager
    def request(self, method: str, url: str) -> Iterator[RequestRecord]:
        """Time one request, which the block makes and writes down in the record; the URL is without secrets."""
        begun_s, record, failure = self.now_s(), RequestRecord(), ""
        try:
            yield record
        except BundlerError as error:
            failure = error.sentence
            raise
        except BaseException as error:
            failure = tr("given up ({name})", name=type(error).__name__)
            raise
        finally:
            parts = filter(None, (record.status, human_bytes(record.received_bytes), failure))
            self.tell(f"{method} {url}: {', '.join(parts)}, {self.now_s() - begun_s:.2f} s")


def _ignore(_line: str) -> None:
    """Take a line for nobody."""


# for whoever has nobody to tell
UNREAD = RequestLog(_ignore)
