"""A bundle's index, and what was found in its files, as components. Pure.

Every path is one component; the packages inside of images are further ones, each once however many images have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.materials.component import Component
from bundler.materials.image_packages import MISSING_LAYER, image_content
from bundler.materials.layer_reading import WHOLE, LayerContent
from bundler.materials.purl import download_purl, image_purl, os_package_purl, rpm_purl
from bundler.model.about import FileAbout, ImageAbout, PackageAbout
from bundler.model.image.blob_paths import blob_path
from bundler.model.image.bundled import bundle_images
from bundler.model.image.oci import ImageManifest, parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.materials.inner_content import InnerContent
    from bundler.materials.os_package import OsPackage, OsRelease
    from bundler.model.artifact import HeldTo
    from bundler.model.bundle import IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.image.oci import Descriptor

NOT_READ = "not-read"


def path_ref(path: str) -> str:
    """Return what the component of a path is called within the bill; a package URL never begins so."""
    return f"path:{path}"


def bill_components(files: Sequence[IndexedFile], findings: InnerContent) -> tuple[Component, ...]:
    """Return all components, sorted by their refs.

    Arguments:
        files: what is described, images whole.
    """
    images: dict[str, BundleImage] = {image.top.path: image for image in bundle_images(files)}
    manifests = {path: _manifest(data, findings) for path, data in findings.manifests.items()}
    components = {path_ref(file.path): _component(file, images, manifests, findings) for file in files}
    for manifest in manifests.values():
        components |= {package.ref: package for package in manifest.packages}
    return tuple(components[ref] for ref in sorted(components))


def _component(
    file: IndexedFile,
    images: Mapping[str, BundleImage],
    manifests: Mapping[str, _ReadManifest],
    findings: InnerContent,
) -> Component:
    match file.about:
        case PackageAbout():
            return _package(file, file.about, findings)
        case ImageAbout():
            image = images.get(file.path)
            manifest = manifests.get(file.path, _NO_MANIFEST)
            return _blob(file, file.about, manifest) if image is None else _image(file, image, manifest)
        case FileAbout():
            return _download(file, file.about)
        case None:
            return _plain(file)


@dataclass(frozen=True, slots=True)
class _ReadManifest:
    """What a manifest names, and the packages that its layers hold together."""

    packages: tuple[Component, ...] = ()
    parts: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


_NO_MANIFEST = _ReadManifest()
# the same in every language
_UNREADABLE = _ReadManifest(facts=((NOT_READ, "is no manifest that can be read"),))


def _manifest(data: bytes, findings: InnerContent) -> _ReadManifest:
    try:
        document = parse_document(data, "")
    except ValueError:
        return _UNREADABLE
    if not isinstance(document, ImageManifest):
        return _UNREADABLE
    blobs = (document.config, *document.layers)
    content = image_content([_layer(layer, findings) for layer in document.layers])
    packages = tuple(_os_package(package, content.release) for package in content.packages)
    distro = (("distro", content.release.distro),) if content.release.distro else ()
    own = dict.fromkeys(path_ref(blob_path(blob.digest)) for blob in blobs if not blob.is_foreign)
    return _ReadManifest(
        packages,
        (*own, *(package.ref for package in packages)),
        (*distro, *((NOT_READ, reason) for reason in content.unread)),
    )


def _layer(layer: Descriptor, findings: InnerContent) -> LayerContent:
    if layer.is_foreign:
        return MISSING_LAYER
    path = blob_path(layer.digest)
    if reason := findings.unread.get(path):
        return LayerContent(unread={WHOLE: reason})
    # what has a media type of another kind is no layer of files
    return findings.layers.get(path, LayerContent())


def _os_package(package: OsPackage, release: OsRelease) -> Component:
    purl = os_package_purl(package, release)
    return Component(
        ref=purl,
        type="library",
        name=package.name,
        version=f"{package.epoch}:{package.version}" if package.epoch else package.version,
        purl=purl,
        license_text=package.license_text,
        facts=(("source-package", package.source),) if package.source else (),
    )


def _package(file: IndexedFile, about: PackageAbout, findings: InnerContent) -> Component:
    header = findings.headers.get(file.path)
    plain = _plain(file)
    if header is None:
        known = replace(plain, type="library", name=about.nevra, description=about.summary)
    else:
        known = replace(
            plain,
            type="library",
            name=header.nevra.name,
            version=header.nevra.evr,
            purl=rpm_purl(header),
            license_text=header.license_text,
            supplier=header.vendor,
            description=about.summary or header.summary,
        )
    unread = ((NOT_READ, reason),) if (reason := findings.unread.get(file.path)) else ()
    nevra = (("nevra", about.nevra), ("repository", about.repo))
    return replace(known, origin=about.url, held_to=_words(about.held_to), facts=(*plain.facts, *nevra, *unread))


def _image(file: IndexedFile, image: BundleImage, manifest: _ReadManifest) -> Component:
    """Return the component of the document that stands for an image; a manifest's own parts are its parts."""
    name = image.names[0]
    inner = [other.path for other in (*image.manifests, *image.upstream) if other.path != file.path]
    archs = {platform.arch for platform in image.about.platforms}
    plain = _plain(file)
    facts = (
        *(("image", str(other)) for other in image.names),
        *(("platform", str(platform)) for platform in image.about.platforms),
        *(("foreign-layer", str(layer)) for layer in image.about.foreign_layers),
        *manifest.facts,
    )
    return replace(
        plain,
        type="container",
        name=name.name,
        version=name.tag or str(image.digest),
        purl=image_purl(name, image.digest, archs.pop() if len(archs) == 1 else ""),
        held_to=_words(image.about.held_to),
        origin=f"docker://{name}",
        facts=tuple(dict.fromkeys((*plain.facts, *facts))),
        parts=(*map(path_ref, inner), *manifest.parts),
    )


def _blob(file: IndexedFile, about: ImageAbout, manifest: _ReadManifest) -> Component:
    plain = _plain(file)
    images = tuple(("image", str(image)) for image in about.images)
    return replace(
        plain,
        purl=image_purl(about.images[0], file.blob.digest) if about.images else "",
        facts=(*plain.facts, ("media-type", about.media_type), *images, *manifest.facts),
        parts=manifest.parts,
    )


def _download(file: IndexedFile, about: FileAbout) -> Component:
    plain = _plain(file)
    member = (("member", about.member),) if about.member else ()
    return replace(
        plain,
        purl="" if about.member else download_purl(about.url, file.blob.digest),
        origin=about.url,
        held_to=_words(about.held_to),
        facts=(*plain.facts, *member),
    )


def _plain(file: IndexedFile) -> Component:
    platforms = tuple(("platform", str(platform)) for platform in file.platforms)
    return Component(
        ref=path_ref(file.path),
        type="file",
        name=file.path,
        path=file.path,
        blob=file.blob,
        facts=(("kind", file.kind), *platforms),
    )


def _words(held_to: HeldTo | None) -> str:
    """Return what vouched for something in English, whoever asks: a bill is the same in every language."""
    if held_to is None:
        return ""
    return " ".join(filter(None, (held_to.by, held_to.detail, held_to.via and f"via {held_to.via}")))
