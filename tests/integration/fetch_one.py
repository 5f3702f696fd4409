"""A process that fetches one file into a store: fetch_one.py STORE URL SHA256 SIZE. Tests start, stop and kill it.

Says on stdout what happens, one word per line: `waiting` before it opens the partial file, the bytes of each block that
has been written, then `present` or `fetched`, or `failed ID`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bundler.errors import BundlerError
from bundler.model.digest import Blob, Digest
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store


class SpokenTask:
    """A `Task` that tells every block."""

    def expect(self, total_bytes: int) -> None:
        """Keep quiet."""

    def advance(self, count: int) -> None:
        """Tell it."""
        say(str(count))

    def note(self, text: str) -> None:
        """Keep quiet."""

    def finish(self, outcome: str = "") -> None:
        """Keep quiet."""


def say(word: str) -> None:
    """Print a line that does not linger in a buffer."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def fetch(store: Store, url: str, blob: Blob) -> str:
    """Fetch the file unless it has arrived while waiting for another process."""
    downloader = FileDownloader(RequestsTransport(), Mirrors(), Retry(sleep=lambda _: None))
    say("waiting")
    with store.in_use(), store.incoming(url) as incoming:
        if store.has(blob):
            return "present"
        downloader.download([url], incoming, SpokenTask(), size=blob.size)
        incoming.commit(blob.digest, size=blob.size)
    return "fetched"


def main(root: str, url: str, sha256: str, size: str) -> None:
    """Run it."""
    try:
        say(fetch(Store(Path(root)), url, Blob(Digest("sha256", sha256), int(size))))
    except BundlerError as error:
        say(f"failed {error.id}")


if __name__ == "__main__":
    main(*sys.argv[1:])
