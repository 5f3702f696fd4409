"""Where commands write a document that they make: a file that is complete or absent, or standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler import console
from bundler.cli.options import FILE, option
from bundler.partial_file import write_pieces_durably
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# a variable of its own: where archives go is said by that of `bundler build`
document_output_option = option(
    "-o",
    "--output",
    variable="BUNDLER_DOCUMENT",
    type=FILE,
    help=tr("The file to write; standard output by default."),
)


def write_document(pieces: Iterable[bytes], output: Path | None) -> None:
    """Write a document of UTF-8 that holds nothing which could control a terminal, each piece of whole characters.

    Raises StorageError; nothing stands under the file's name then.
    """
    if output is not None:
        write_pieces_durably(output, pieces)
        return
    for piece in pieces:
        console.say(piece.decode(), newline=False)
