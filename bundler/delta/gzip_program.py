"""GNU gzip, as the host has it, for what it compressed elsewhere: its deflate is nobody's library.

KubeEdge's own releases are made with it (`tar -czf`), and every host that unpacks a `.tar.gz` has it. gzip 1.5 reads
options from its environment, so it gets none.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bundler.delta.gzip_member import TRAILER_BYTES
from bundler.errors import ToolMissingError
from bundler.model.patch_recipe import MIN_HEADER_BYTES
from bundler.program_filter import FailedFilterError, filtered
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

SEARCH_PATH = "/usr/bin:/bin:/usr/local/bin"


def deflated_by_gzip(contents: Iterable[bytes], level: int) -> Generator[bytes, None, None]:
    """Yield the deflate stream that `gzip -LEVEL` makes of contents.

    Raises, while iterating, ToolMissingError (no gzip, or one that fails), and what the contents raise.
    """
    program = shutil.which("gzip", path=SEARCH_PATH)
    if program is None:
        raise missing_gzip()
    # without a name there is no more header than that; what may be the trailer waits
    skipped, held = MIN_HEADER_BYTES, b""
    try:
        for piece in filtered((program, "-n", "-c", f"-{level}"), contents, environment={}):
            held += piece[skipped:]
            skipped -= min(skipped, len(piece))
            yield held[:-TRAILER_BYTES]
            held = held[-TRAILER_BYTES:]
    except FailedFilterError as error:
        raise missing_gzip() from error


def missing_gzip() -> ToolMissingError:
    """Return the error of a host without a gzip that gives the right bytes."""
    return ToolMissingError(
        tr("a gzip that gives the bytes of GNU gzip"),
        package=tr("gzip; or bring the full bundle"),
        needed_for=tr("patches of files that GNU gzip has compressed"),
    )
