"""What whoever approves a transfer is told: what changed, what wants a second look, what comes in. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.model.about import FileAbout, PackageAbout
from bundler.model.image.bundled import bundle_images
from bundler.model.rpm.artifact import UNCHECKED_SUFFIX
from bundler.model.rpm.nevra import Nevra
from bundler.model.upgrade import MOVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.archive.delta_marks import BaseShare
    from bundler.model.artifact import HeldTo
    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.image.bundled import BundleImage
    from bundler.model.upgrade import Changes, Move, UpgradeStep
    from bundler.trust.signature_verdict import SignatureVerdict

# of the things that want a second look, so many are named
MAX_NAMED = 30


@dataclass(frozen=True, slots=True)
class ReportedItem:
    """A package, an image or a file that comes in.

    Arguments:
        name, version, platforms: in words; "" where it has none.
        origin: the URL; the registry of an image.
        host: whom it comes from, with a port that is not the usual one; "" for what lay beside the manifest.
        held_to: what vouched for it, None where nothing is known.
        digest: SHA-256 in hex of the file, or of the document that stands for an image.
        further_names: of an image.
    """

    name: str
    version: str
    platforms: str
    origin: str
    host: str
    held_to: HeldTo | None
    size: int
    digest: str
    further_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that wants a second look before it is approved.

    Arguments:
        key: of its words.
        count: how many there are.
        names: some of them.
    """

    key: str
    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransferReport:
    """All of the report.

    Arguments:
        id: the bundle's, in full.
        verdict: what its signatures are worth where the report is made.
        against: what it is compared with; None for a bundle that is not compared.
        steps: of that, by move, the alarming ones first.
        origins: host -> how many things come from it and how many bytes, the most first.
        left: what the archive of a delta leaves to its bases.
        own_files, own_bytes: what the builder made beside that: metadata, blobs' documents, scripts.
    """

    name: str
    release: str
    id: str
    platforms: tuple[str, ...]
    file_count: int
    content_bytes: int
    verdict: SignatureVerdict
    against: Changes | None
    steps: Mapping[Move, tuple[UpgradeStep, ...]]
    concerns: tuple[Concern, ...]
    packages: tuple[ReportedItem, ...]
    images: tuple[ReportedItem, ...]
    files: tuple[ReportedItem, ...]
    origins: tuple[tuple[str, int, int], ...]
    own_files: int
    own_bytes: int
    left: tuple[BaseShare, ...] = ()

    @property
    def added_bytes(self) -> int:
        """By how much what is locked grows; negative where it shrinks."""
        return sum(step.added_bytes for of_move in self.steps.values() for step in of_move)


def transfer_report(
    index: BundleIndex,
    *,
    bundle_id: str,
    verdict: SignatureVerdict,
    changes: Changes | None = None,
    left: tuple[BaseShare, ...] = (),
) -> TransferReport:
    """Return the report of a bundle.

    Arguments:
        verdict: what its signatures are worth.
        changes: what it is compared with, if anything.
        left: see `TransferReport`.
    """
    images = tuple(bundle_images(index.files))
    shown_images = tuple(sorted(map(_image, images), key=lambda item: (item.name, item.version)))
    packages = tuple(sorted(_packages(index), key=lambda item: (item.name, item.version)))
    files = tuple(_files(index))
    steps = () if changes is None else changes.steps
    by_move = {move: tuple(step for step in steps if step.move == move) for move in MOVES}
    in_images = {file.path for image in images for file in image.files}
    own = [file for file in index.files if _is_own(file) and file.path not in in_images]
    return TransferReport(
        name=index.name,
        release=index.release,
        id=bundle_id,
        platforms=tuple(map(str, index.platforms)),
        file_count=index.file_count,
        content_bytes=index.content_bytes,
        verdict=verdict,
        against=changes,
        steps={move: of_move for move, of_move in by_move.items() if of_move},
        concerns=tuple(_concerns(verdict, by_move, packages + shown_images + files, images)),
        packages=packages,
        images=shown_images,
        files=files,
        origins=_origins(packages + shown_images + files),
        own_files=len(own),
        own_bytes=sum(file.blob.size for file in own),
        left=left,
    )


def _packages(index: BundleIndex) -> Iterator[ReportedItem]:
    for file in index.files:
        about = file.about
        if isinstance(about, PackageAbout):
            name, version, arch = _nevra(about.nevra)
            platforms = arch or " ".join(map(str, file.platforms))
            yield ReportedItem(
                name,
                version,
                platforms,
                about.url,
                _host(about.url),
                about.held_to,
                file.blob.size,
                file.blob.digest.hex,
            )


def _nevra(text: str) -> tuple[str, str, str]:
    try:
        nevra = Nevra.parse(text)
    except ValueError:
        # whatever stands there is shown
        return text, "", ""
    return nevra.name, nevra.evr, nevra.arch


def _image(image: BundleImage) -> ReportedItem:
    name = image.names[0]
    return ReportedItem(
        name=name.name,
        version=name.tag or str(name.digest),
        platforms=" ".join(map(str, image.about.platforms)),
        origin=name.host,
        host=name.host,
        held_to=image.about.held_to,
        size=image.size,
        digest=image.digest.hex,
        further_names=tuple(map(str, image.names[1:])),
    )


def _files(index: BundleIndex) -> Iterator[ReportedItem]:
    for file in index.files:
        about = file.about
        if isinstance(about, FileAbout):
            platforms = " ".join(map(str, file.platforms))
            yield ReportedItem(
                file.path,
                about.member,
                platforms,
                about.url,
                _host(about.url),
                about.held_to,
                file.blob.size,
                file.blob.digest.hex,
            )


def _is_own(file: IndexedFile) -> bool:
    return not isinstance(file.about, PackageAbout | FileAbout)


def _concerns(
    verdict: SignatureVerdict,
    steps: Mapping[Move, tuple[UpgradeStep, ...]],
    items: Sequence[ReportedItem],
    images: Sequence[BundleImage],
) -> Iterator[Concern]:
    yield from _signature_concerns(verdict)
    foreign = [str(image.names[0]) for image in images if image.about.foreign_layers]
    named = {
        "downgraded": [step.name for step in steps["downgraded"]],
        "replaced": [step.name for step in steps["replaced"]],
        "unchecked": [
            item.name for item in items if item.held_to is not None and item.held_to.detail.endswith(UNCHECKED_SUFFIX)
        ],
        "first-use": [_title(item) for item in items if item.held_to is None or item.held_to.by == "first-use"],
        "through-mirror": [_title(item) for item in items if item.held_to is not None and item.held_to.via],
        "foreign-layers": foreign,
    }
    for key, names in named.items():
        if names:
            yield Concern(key, len(names), tuple(names[:MAX_NAMED]))


def _signature_concerns(verdict: SignatureVerdict) -> Iterator[Concern]:
    names = tuple(signature.name for signature in verdict.signatures if signature.standing != "holds")
    if not verdict.signatures:
        yield Concern("unsigned-bundle", 1)
    elif not verdict.trusted:
        yield Concern("unchecked-signatures", len(names), names[:MAX_NAMED])
    elif not verdict.holds:
        yield Concern("too-few-signatures", verdict.needed - len(verdict.signers), names[:MAX_NAMED])


def _title(item: ReportedItem) -> str:
    return " ".join(filter(None, (item.name, item.version)))


def _origins(items: Sequence[ReportedItem]) -> tuple[tuple[str, int, int], ...]:
    counts: Counter[str] = Counter()
    sizes: defaultdict[str, int] = defaultdict(int)
    for item in items:
        counts[item.host] += 1
        sizes[item.host] += item.size
    return tuple((host, counts[host], sizes[host]) for host in sorted(counts, key=lambda host: (-sizes[host], host)))


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
