"""Whose gzip can be made again: each program of this machine compresses a file, and the list of patches is tried on it.

Go's programs need `go`, and klauspost's modules; what is not on this machine has no row.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.delta.recompressor_search import recompression_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

SUMMARY = "whose gzip patches can make again: the programs of this machine, and Go's"
LEVELS = (1, 6, 9)
_PYTHON = (
    "import gzip, shutil, sys; shutil.copyfileobj(sys.stdin.buffer, gzip.GzipFile('', 'wb', {}, sys.stdout.buffer))"
)
_PERL = "use IO::Compress::Gzip qw(gzip); gzip '-' => '-', -Level => {}"
_NODE = "process.stdin.pipe(require('zlib').createGzip({{level: {}}})).pipe(process.stdout)"
_JAVA = """
public class Gzip { public static void main(String[] none) throws Exception {
    try (var out = new java.util.zip.GZIPOutputStream(System.out)) { System.in.transferTo(out); } } }
"""
_GO = """
package main

import (
	"compress/gzip"
	"io"
	"os"
	"strconv"

	klauspost "github.com/klauspost/compress/gzip"
	"github.com/klauspost/pgzip"
)

func main() {
	level, _ := strconv.Atoi(os.Args[2])
	var out io.WriteCloser
	switch os.Args[1] {
	case "go":
		out, _ = gzip.NewWriterLevel(os.Stdout, level)
	case "klauspost":
		out, _ = klauspost.NewWriterLevel(os.Stdout, level)
	case "pgzip":
		out, _ = pgzip.NewWriterLevel(os.Stdout, level)
	}
	io.Copy(out, os.Stdin)
	out.Close()
}
"""


def _programs(directory: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield a name and a command that compresses its input, for each program and level."""
    for level in LEVELS:
        yield f"gzip -{level}", ("gzip", f"-{level}")
        yield f"busybox gzip -{level}", ("busybox", "gzip", f"-{level}")
        yield f"pigz -{level}", ("pigz", f"-{level}")
        yield f"pigz -{level} -p 1", ("pigz", f"-{level}", "-p", "1")
        yield f"pigz -{level} -R", ("pigz", f"-{level}", "-R")
        yield f"Python gzip, level {level}", (sys.executable, "-c", _PYTHON.format(level))
        yield f"Perl IO::Compress, level {level}", ("perl", "-e", _PERL.format(level))
        yield f"Node zlib, level {level}", ("node", "-e", _NODE.format(level))
    (directory / "Gzip.java").write_text(_JAVA)
    yield "Java GZIPOutputStream", ("java", str(directory / "Gzip.java"))
    if program := _go_program(directory):
        for writer, level in ((writer, level) for writer in ("go", "klauspost", "pgzip") for level in LEVELS):
            yield f"{writer}, level {level}", (program, writer, str(level))


def _go_program(directory: Path) -> str | None:
    if shutil.which("go") is None:
        return None
    (directory / "main.go").write_text(_GO)
    for command in (("mod", "init", "recompressors"), ("mod", "tidy"), ("build", "-o", "compress")):
        subprocess.run(["go", *command], cwd=directory, check=True, stderr=subprocess.DEVNULL)
    return str(directory / "compress")


def _cells(command: Sequence[str], contents: Sequence[Path], packed: Path) -> Iterator[str]:
    for plain in contents:
        with plain.open("rb") as source, packed.open("wb") as out:
            subprocess.run(command, stdin=source, stdout=out, stderr=subprocess.DEVNULL, check=True)
        found = recompression_of(packed)
        yield f"{found.name}, level {found.level}" if found else "no"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("contents", type=Path, nargs="+", help="files that are not compressed: tar files of layers")


def run(arguments: argparse.Namespace) -> None:
    """Try each program, and print a row for it with a column for each of the contents."""
    print("| made by |", *(f"{path.name} |" for path in arguments.contents))
    print("|---|", *("---|" for _ in arguments.contents), sep="")
    with tempfile.TemporaryDirectory(prefix="bundler-bench-") as name:
        directory = Path(name)
        for title, command in _programs(directory):
            if shutil.which(command[0]) is not None:
                print(
                    "|",
                    title,
                    "|",
                    *(f"{cell} |" for cell in _cells(command, arguments.contents, directory / "packed")),
                )
