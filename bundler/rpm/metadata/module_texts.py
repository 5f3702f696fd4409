"""Module metadata of several repositories -> one modules.yaml about the packages of a bundle. Pure.

Documents are kept unchanged. Without them dnf refuses packages of a stream, and with them it excludes those of a stream
that is neither enabled nor the default: so every kept stream becomes its module's default here, and the packages can be
installed without further steps. Formats as for `modulemd`.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from bundler.rpm.metadata.modulemd import read_modules
from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from bundler.model.rpm.nevra import Nevra
    from bundler.rpm.metadata.modulemd import DocumentReader, ModuleStream

# the largest real one, with the packages of a whole Perl, has some hundred KiB
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
# possible names of packages, in YAML lists of either style
_WORD = re.compile(rb"[^\s\"'\[\],]+")


def merge_modules(
    documents: Iterable[tuple[str, BinaryIO]], packages: Collection[Nevra], read_documents: DocumentReader
) -> str:
    """Return modules.yaml with the streams that any of these packages belong to.

    Arguments:
        documents: the origin of each, for messages, and its plain bytes.
        read_documents: reads YAML into plain values in which every scalar is text.

    Returns "" when no stream is left. Raises SourceError (REPO_METADATA_INVALID).
    """
    names = {
        f"{package.name}-{package.epoch}:{package.version}-{package.release}.{package.arch}" for package in packages
    }
    words = {name.encode() for name in names}
    found: list[tuple[str, ModuleStream]] = []
    for where, stream in documents:
        for text in _split(stream, where):
            # most documents of a big distribution are irrelevant, and reading YAML is slow
            if words.isdisjoint(word[0] for word in _WORD.finditer(text)):
                continue
            builds = read_modules(io.BytesIO(text), read_documents, where).streams
            found += [(text.decode().strip("\n"), build) for build in builds]
    streams = _streams([build for _, build in found], names)
    kept = {text for text, build in found if streams.get(build.module) == build.stream}
    return "".join(f"---\n{text}\n...\n" for text in [*sorted(kept), *_defaults(streams)])


def _streams(builds: Iterable[ModuleStream], names: Collection[str]) -> Mapping[str, str]:
    """Return module -> the stream of the packages: several may list some of them, but only that one lists all."""
    listed: dict[str, dict[str, set[str]]] = {}
    for build in builds:
        if ours := set(build.artifacts).intersection(names):
            listed.setdefault(build.module, {}).setdefault(build.stream, set()).update(ours)
    return {module: max(sorted(streams), key=lambda stream: len(streams[stream])) for module, streams in listed.items()}


def _defaults(streams: Mapping[str, str]) -> Iterator[str]:
    for module, stream in sorted(streams.items()):
        lines = ("document: modulemd-defaults", "version: 1", "data:", f'  module: "{module}"', f'  stream: "{stream}"')
        yield "\n".join(lines)


def _split(stream: BinaryIO, where: str) -> Iterator[bytes]:
    """Yield the documents of a YAML stream unchanged, without the marks between them."""
    lines: list[bytes] = []
    size = 0
    for line in stream:
        if line.rstrip() in (b"---", b"..."):
            if any(part.strip() for part in lines):
                yield b"".join(lines)
            lines, size = [], 0
            continue
        lines.append(line)
        size += len(line)
        if size > MAX_DOCUMENT_BYTES:
            raise invalid_metadata(
                tr("has a document of more than {max_document_bytes} bytes", max_document_bytes=MAX_DOCUMENT_BYTES),
                where,
            )
    if any(part.strip() for part in lines):
        yield b"".join(lines)
