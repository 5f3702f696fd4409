"""One pass over a bundle's files: what RPMs, manifests of images and layers say of themselves.

Owns which files are looked into. What they are is told by the index; that their bytes are the listed ones is checked by
whoever gives them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.materials.chunk_file import open_chunks
from bundler.materials.layer_reading import WHOLE, LayerContent, read_layer
from bundler.model.about import ImageAbout, PackageAbout
from bundler.model.image.bundled import media_type
from bundler.model.image.oci import MANIFEST_TYPES, MAX_MANIFEST_BYTES
from bundler.rpm.signing.rpm_file import read_rpm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bundler.materials.os_package import OsPackage
    from bundler.model.bundle import IndexedFile
    from bundler.rpm.signing.rpm_file import RpmHeader

    Chunks = Iterator[bytes | memoryview]

# of all images together, each counted once; what honest images share is most of them
MAX_PACKAGES = 200_000
# OCI's media types of layers, and Docker's (image spec, layer.md; distribution's manifest v2 schema 2)
_LAYER_ENDS = (".tar", ".tar+gzip", ".tar+zstd", ".tar.gzip", ".tar.zstd")


@dataclass(frozen=True, slots=True)
class InnerContent:
    """What was found inside of files, by their paths.

    Arguments:
        headers: of RPMs.
        manifests: the bytes of images' manifests.
        layers: what layers tell.
        unread: why something was not read.
    """

    headers: Mapping[str, RpmHeader]
    manifests: Mapping[str, bytes]
    layers: Mapping[str, LayerContent]
    unread: Mapping[str, str]


def is_looked_into(file: IndexedFile) -> bool:
    """Tell whether `read_inner_content` wants a file."""
    return isinstance(file.about, PackageAbout) or _is_manifest(file) or _is_layer(file)


def read_inner_content(contents: Iterable[tuple[IndexedFile, Chunks]]) -> InnerContent:
    """Look into files, each of which is read to its end before the next one is taken.

    Raises what giving them raises, and ToolMissingError as `read_layer` does.
    """
    headers: dict[str, RpmHeader] = {}
    manifests: dict[str, bytes] = {}
    layers: dict[str, LayerContent] = {}
    unread: dict[str, str] = {}
    known: dict[OsPackage, OsPackage] = {}
    for file, chunks in contents:
        if _is_layer(file):
            layers[file.path] = _shared(read_layer(chunks, where=file.path), known)
        elif _is_manifest(file):
            manifests[file.path] = b"".join(chunks)
        else:
            header = _header(file, chunks)
            if isinstance(header, str):
                unread[file.path] = header
            else:
                headers[file.path] = header
        for _ in chunks:
            pass
    return InnerContent(headers, manifests, layers, unread)


def _shared(layer: LayerContent, known: dict[OsPackage, OsPackage]) -> LayerContent:
    """Return a layer whose packages are the known ones where they are equal: most layers say what others say."""
    if sum(map(len, layer.packages.values())) + len(known) > MAX_PACKAGES:
        return LayerContent(
            unread={WHOLE: f"tells of more packages than the {MAX_PACKAGES:,} that are kept of a bundle"}
        )
    shared = {
        path: tuple(known.setdefault(package, package) for package in packages)
        for path, packages in layer.packages.items()
    }
    return replace(layer, packages=shared)


def _header(file: IndexedFile, chunks: Chunks) -> RpmHeader | str:
    """Return an RPM's header, or why it cannot be read: an IntegrityError of whoever gives the bytes passes through."""
    try:
        return read_rpm(open_chunks(chunks), file.path).about
    except IntegrityError as error:
        if error.id is not ErrorId.RPM_DAMAGED:
            raise
        # the same in every language
        return "is not a whole RPM package"


def _is_manifest(file: IndexedFile) -> bool:
    return media_type(file) in MANIFEST_TYPES and file.blob.size <= MAX_MANIFEST_BYTES


def _is_layer(file: IndexedFile) -> bool:
    return isinstance(file.about, ImageAbout) and file.about.media_type.endswith(_LAYER_ENDS)
