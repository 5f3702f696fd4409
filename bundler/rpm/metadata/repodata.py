"""Repodata of a repository of known packages, the same bytes for the same packages on any machine.

Owns `repodata/` of the bundle: primary, filelists, other (no SQLite), and the given groups, module streams and
advisories. gzip, because yum 3.4 of EL7 reads nothing newer, by the deflater of archives, because its output depends
neither on the processor nor on the zlib that this Python was built with (docs/adr/0022). createrepo_c makes the XML of
a package. Refuses to decide which packages belong in a repository.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.compress import DEFLATER, GZIP_HEADER, gzip_trailer
from bundler.errors import ErrorId, ManifestError, ToolMissingError
from bundler.model.rpm.nevra import Nevra
from bundler.python_package import installing
from bundler.rpm.metadata.package_reader import package_texts, read_package
from bundler.rpm.metadata.unprinted import unprinted
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.model.digest import Blob

# a document is as many gzip members (RFC 1952, 2.2) as it has blocks of this size: it need not be held in memory
BLOCK_BYTES = 1024 * 1024
DIRECTORY = "repodata"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_METADATA = "http://linux.duke.edu/metadata"


@dataclass(frozen=True, slots=True)
class RepoPackage:
    """A package of the repository.

    Arguments:
        path: the file with its bytes.
        href: its path below the repository's directory, for clients.
        blob: digest and size, which are verified.
        source_date: its build time in seconds since the epoch; clients see it as the file's own time.
        nevra: what it is said to be; None where nobody says it.
    """

    path: Path
    href: str
    blob: Blob
    source_date: int
    nevra: Nevra | None = None


@dataclass(frozen=True, slots=True)
class RepoExtras:
    """Uncompressed comps.xml, modules.yaml and updateinfo.xml; empty ones are left out of the repository."""

    comps: bytes = b""
    modules: bytes = b""
    updateinfo: bytes = b""


def write_repodata(packages: Sequence[RepoPackage], extras: RepoExtras = RepoExtras()) -> Mapping[str, bytes]:
    """Return path below the repository's directory -> content, `repodata/repomd.xml` among them.

    Every date in it is the newest `source_date`. Only the compressed result and one header are held in memory.

    Raises DamagedPackageError when a file differs from its blob, SourceError (SOURCE_INVALID) when it is not an RPM,
    ManifestError (LOCK_INVALID) when it is another package than it is said to be, and ToolMissingError without
    createrepo_c.
    """
    library = _library()
    ordered = sorted(packages, key=lambda package: package.href.encode())
    files = _package_files(ordered, library)
    if extras.comps:
        # yum 3.4 and dnf both accept either; the compressed one is a shorter transfer
        files["group"] = _plain_file("comps.xml", extras.comps)
        files["group_gz"] = _compressed_file("comps.xml", [extras.comps])
    if extras.modules:
        files["modules"] = _compressed_file("modules.yaml", [extras.modules])
    if extras.updateinfo:
        files["updateinfo"] = _compressed_file("updateinfo.xml", [extras.updateinfo])
    newest = max((package.source_date for package in ordered), default=0)
    written = {file.path: file.content for file in files.values()}
    return {f"{DIRECTORY}/repomd.xml": _repomd(files, newest, library), **written}


@dataclass(frozen=True, slots=True)
class _MetadataFile:
    """A finished record of repomd.xml. `open_…` is of the uncompressed content, "" and 0 where it is plain already."""

    path: str
    content: bytes
    checksum: str
    open_checksum: str
    open_size: int


class _Compressor:
    """Compresses and hashes a file while it is written."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._hash = hashlib.sha256()
        self._size = 0
        self._block = bytearray()
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Append uncompressed bytes."""
        self._hash.update(data)
        self._size += len(data)
        self._block += data
        while len(self._block) >= BLOCK_BYTES:
            self._deflate(BLOCK_BYTES)

    def finish(self) -> _MetadataFile:
        """Return the finished file."""
        if self._block or not self._parts:
            self._deflate(len(self._block))
        content = b"".join(self._parts)
        checksum = hashlib.sha256(content).hexdigest()
        path = f"{DIRECTORY}/{checksum}-{self._name}.gz"
        return _MetadataFile(path, content, checksum, self._hash.hexdigest(), self._size)

    def _deflate(self, count: int) -> None:
        block = bytes(self._block[:count])
        del self._block[:count]
        self._parts += (GZIP_HEADER, DEFLATER.deflate(block), gzip_trailer(block))


def _compressed_file(name: str, pieces: Sequence[bytes]) -> _MetadataFile:
    compressor = _Compressor(name)
    for piece in pieces:
        compressor.write(piece)
    return compressor.finish()


def _plain_file(name: str, content: bytes) -> _MetadataFile:
    checksum = hashlib.sha256(content).hexdigest()
    return _MetadataFile(f"{DIRECTORY}/{checksum}-{name}", content, checksum, "", 0)


def _package_files(packages: Sequence[RepoPackage], library: Any) -> dict[str, _MetadataFile]:
    count = f'packages="{len(packages)}"'
    frames = {
        "primary": ("metadata", f'xmlns="{_METADATA}/common" xmlns:rpm="{_METADATA}/rpm" {count}'),
        "filelists": ("filelists", f'xmlns="{_METADATA}/filelists" {count}'),
        "other": ("otherdata", f'xmlns="{_METADATA}/other" {count}'),
    }
    compressors = {name: _Compressor(f"{name}.xml") for name in frames}
    for name, (element, attributes) in frames.items():
        compressors[name].write(f"{_DECLARATION}<{element} {attributes}>\n".encode())
    with unprinted():
        for package in packages:
            record = read_package(library, package.path, package.blob)
            _require_named(package, record)
            record.time_file = package.source_date
            record.location_href = package.href
            for compressor, text in zip(
                compressors.values(), package_texts(library, record, package.path), strict=True
            ):
                compressor.write(text.encode())
    for name, (element, _) in frames.items():
        compressors[name].write(f"</{element}>\n".encode())
    return {name: compressor.finish() for name, compressor in compressors.items()}


def _require_named(package: RepoPackage, record: Any) -> None:
    if package.nevra is None:
        return
    try:
        found = Nevra(record.name, int(record.epoch or 0), record.version, record.release, record.arch)
        fits = (found, record.time_build) == (package.nevra, package.source_date)
    except ValueError:
        fits = False
    if not fits:
        raise ManifestError(
            ErrorId.LOCK_INVALID,
            tr(
                "the lock calls {name}-{version}-{release}.{arch}, built at "
                "{time_build}, {nevra}, built at {source_date}",
                name=record.name,
                version=record.version,
                release=record.release,
                arch=record.arch,
                time_build=record.time_build,
                nevra=package.nevra,
                source_date=package.source_date,
            ),
            where=package.href,
            remedy=tr("Restore the lock from version control, or run `bundler lock --update` for this package."),
        )


def _repomd(files: Mapping[str, _MetadataFile], newest: int, library: Any) -> bytes:
    repomd = library.Repomd()
    repomd.set_revision(str(newest))
    for kind, file in files.items():
        record = library.RepomdRecord(kind)
        record.location_href = file.path
        record.checksum_type, record.checksum = "sha256", file.checksum
        record.size, record.timestamp = len(file.content), newest
        if file.open_checksum:
            record.checksum_open_type, record.checksum_open = "sha256", file.open_checksum
            record.size_open = file.open_size
        repomd.set_record(record)
    repomd.sort_records()
    text: str = repomd.xml_dump()
    return text.encode()


def _library() -> Any:
    try:
        import createrepo_c
    except ImportError as error:
        raise ToolMissingError(
            tr("createrepo_c for Python ({error})", error=error),
            package=installing("createrepo_c"),
            needed_for=tr("repodata of RPMs"),
        ) from error
    return createrepo_c
