"""What the download tests share: a store, an upstream that misbehaves, and a file to fetch."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.model.digest import Blob
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from tests.fakes.faulty_server import Fault, FaultyServer, ServedFile
from tests.fakes.progress import RecordingTask

if TYPE_CHECKING:
    from bundler.net.interface import Received
    from bundler.store.blobs import Store

BODY = random.Random(1).randbytes(600_000)
BLOB = Blob.of(BODY)
PATH = "/keadm.tar.gz"
IDLE_TIMEOUT_S = 0.5


@dataclass
class Site:
    """A store, an upstream and what lies between; `waited_s` is what would have been slept."""

    server: FaultyServer
    store: Store
    task: RecordingTask = field(default_factory=RecordingTask)
    waited_s: list[float] = field(default_factory=list)

    def serve(self, *faults: Fault, **options: str) -> None:
        self.server.files[PATH] = ServedFile(BODY, faults=list(faults), **options)

    def download(self, *, attempts: int = 5, size: int | None = None, rules: tuple[str, ...] = ()) -> Received:
        retry = Retry(attempts, sleep=self.waited_s.append, jitter=lambda: 0.0)
        transport = RequestsTransport(idle_timeout_s=IDLE_TIMEOUT_S)
        url = self.server.url(PATH)
        try:
            with self.store.in_use(), self.store.incoming(url) as incoming:
                received = FileDownloader(transport, Mirrors.parse(rules), retry).download(
                    [url], incoming, self.task, size=size
                )
                incoming.commit()
        finally:
            transport.close()
        return received

    @property
    def ranges(self) -> list[str]:
        """The Range of each request for the file."""
        return [asked.headers.get("range", "all") for asked in self.server.requests_for(PATH)]


def rest(offset: int) -> str:
    return f"bytes={offset}-"
