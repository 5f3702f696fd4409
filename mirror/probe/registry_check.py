"""Pull everything that a mirror's registry has to give, as clients pull, and compare it digest by digest.

Documents are asked for by tag and by digest in every repository that has them. A config or a layer is fetched once,
from the first of its repositories; the others are asked whether they have it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, SourceError
from bundler.model.image.oci import INDEX_TYPES, MANIFEST_TYPES, ImageIndex, parse_document
from bundler.translation import tr
from mirror.probe.comparing import compared
from mirror.probe.mirror_report import Finding, MirrorReport, named
from mirror.probe.retry import Pace, Retrier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Executor

    from bundler.model.digest import Blob, Digest
    from bundler.model.image.oci import Descriptor, ImageManifest
    from bundler.model.progress import Progress
    from mirror.probe.expected import Expectation
    from mirror.probe.interface import RegistryPlace, Reply

VERSION_PATH = "v2/"
VERSION_FIELD = "docker-distribution-api-version"
DIGEST_FIELD = "docker-content-digest"
T = TypeVar("T")
ACCEPT = ", ".join(sorted(INDEX_TYPES | MANIFEST_TYPES))


@dataclass(frozen=True, slots=True)
class _NamedManifest:
    """A manifest or an index, under one name or digest of one repository."""

    repository: str
    reference: str
    blob: Blob
    media_type: str

    @property
    def path(self) -> str:
        return f"{VERSION_PATH}{self.repository}/manifests/{self.reference}"

    def __str__(self) -> str:
        return f"{self.repository}{'@' if ':' in self.reference else ':'}{self.reference}"


def check_registry(place: RegistryPlace, expected: Expectation, progress: Progress, pace: Pace) -> MirrorReport | None:
    """Pull everything; None when there is no registry and need not be. What goes wrong is in the report."""
    task = progress.task(f"{place.url}/{VERSION_PATH}", None)
    check = _RegistryCheck(place, Retrier(pace, task))
    began = pace.clock()
    try:
        present = check.retrier.with_retries(VERSION_PATH, check.is_registry)
    except SourceError as failure:
        if place.certain or failure.id is not ErrorId.SOURCE_NOT_FOUND:
            task.finish(tr("failed"))
            return MirrorReport(f"{place.url}/{VERSION_PATH}", failure=failure)
        present = False
    if not present:
        task.finish(tr("no registry"))
        return None
    with ThreadPoolExecutor(pace.jobs, "probe-registry") as pool:
        check.everything(pool, expected, progress)
    task.finish(tr("as bundled") if not check.found else tr("{count} differences", count=len(check.found)))
    return MirrorReport(
        url=f"{place.url}/{VERSION_PATH}",
        bundle=expected.id,
        title=expected.title,
        files=check.asked,
        intact=check.asked - len({finding.path for finding in check.found}),
        findings=tuple(sorted(check.found, key=lambda finding: (finding.path, finding.want))),
        retries=check.retrier.retries,
        received_bytes=check.retrier.received_bytes,
        elapsed_s=pace.clock() - began,
    )


@dataclass(slots=True)
class _RegistryCheck:
    """What was asked and found; `asked` counts names and digests of each repository."""

    place: RegistryPlace
    retrier: Retrier
    asked: int = 0
    found: list[Finding] = field(default_factory=list)
    read: dict[Digest, bytes] = field(default_factory=dict)

    def is_registry(self) -> bool:
        """Ask whether this is a registry (distribution spec 1.1, "Determining Support"). Raises SourceError.

        Where there need not be one, a server that answers every path is none without the field of registries.
        """
        return VERSION_FIELD in self.place.client.head(VERSION_PATH) or self.place.certain

    def everything(self, pool: Executor, expected: Expectation, progress: Progress) -> None:
        """Go from names to documents, from these to their children, from all of them to blobs."""
        tops = dict.fromkeys(_top_documents(expected))
        # one image's own index may be what another one was pruned from
        self._each(pool, self._document, dict.fromkeys((*tops, *_upstream_documents(expected))))
        children = dict.fromkeys(
            _NamedManifest(top.repository, str(child.digest), child.blob, child.media_type)
            for top in tops
            for child in self._children(top)
        )
        children = dict.fromkeys(child for child in children if child not in tops)
        self._each(pool, self._document, children)
        blobs: dict[Blob, dict[str, None]] = {}
        for document in (*tops, *children):
            for blob in self._blobs(document):
                blobs.setdefault(blob, {})[document.repository] = None
        progress.expect(sum(blob.size for blob in blobs))
        self._each(pool, self._whole, [(blob, next(iter(places))) for blob, places in blobs.items()])
        further = [(blob, place) for blob, places in blobs.items() for place in list(places)[1:]]
        self._each(pool, self._known, further)

    def _each(self, pool: Executor, ask: Callable[[T], list[Finding]], items: Iterable[T]) -> None:
        listed = list(items)
        self.asked += len(listed)
        for findings in pool.map(ask, listed):
            self.found += findings

    def _children(self, document: _NamedManifest) -> Iterable[Descriptor]:
        parsed = self._parsed(document)
        return parsed.manifests if isinstance(parsed, ImageIndex) else ()

    def _blobs(self, document: _NamedManifest) -> Iterator[Blob]:
        parsed = self._parsed(document)
        if parsed is not None and not isinstance(parsed, ImageIndex):
            yield from (one.blob for one in (parsed.config, *parsed.layers) if not one.is_foreign)

    def _parsed(self, document: _NamedManifest) -> ImageManifest | ImageIndex | None:
        """Return a document that came as it should, from wherever; None without one, which is a finding already."""
        data = self.read.get(document.blob.digest)
        try:
            return None if data is None else parse_document(data, document.media_type)
        except ValueError:
            # a document of the bundle's own that nobody can read is not the registry's fault
            return None

    def _document(self, document: _NamedManifest) -> list[Finding]:
        def attempt() -> list[Finding]:
            data = bytearray()
            with self.place.client.get(document.path, ACCEPT) as reply:
                result = compared(_kept(reply, data), document.blob, self.retrier.received)
            if result.difference:
                return [Finding(str(document), "differs", named(document.blob), result.difference)]
            self.read[document.blob.digest] = bytes(data)
            return _wrong_fields(document, reply.fields)

        return self.retrier.findings(str(document), named(document.blob), attempt)

    def _whole(self, item: tuple[Blob, str]) -> list[Finding]:
        """Fetch a config or a layer."""
        blob, repository = item

        def attempt() -> list[Finding]:
            with self.place.client.get(_blob_path(blob, repository)) as reply:
                result = compared(reply.chunks, blob, self.retrier.received)
            return [Finding(path, "differs", named(blob), result.difference)] if result.difference else []

        path = f"{repository}@{blob.digest}"
        return self.retrier.findings(path, named(blob), attempt)

    def _known(self, item: tuple[Blob, str]) -> list[Finding]:
        """Ask whether a further repository has a config or a layer."""
        blob, repository = item

        def attempt() -> list[Finding]:
            length = self.place.client.head(_blob_path(blob, repository)).get("content-length", "nothing")
            right = length == str(blob.size)
            return (
                [] if right else [Finding(path, "differs", tr("{size} bytes", size=blob.size), f"HEAD with {length}")]
            )

        path = f"{repository}@{blob.digest}"
        return self.retrier.findings(path, named(blob), attempt)


def _blob_path(blob: Blob, repository: str) -> str:
    return f"{VERSION_PATH}{repository}/blobs/{blob.digest}"


def _top_documents(expected: Expectation) -> Iterator[_NamedManifest]:
    """Yield what every name leads to, and the same by its digest."""
    for image in expected.images:
        for repository, reference in image.places:
            yield _NamedManifest(repository, reference, image.top, image.media_type)
            yield _NamedManifest(repository, str(image.top.digest), image.top, image.media_type)


def _upstream_documents(expected: Expectation) -> Iterator[_NamedManifest]:
    """Yield the upstream's own indexes; not all of their children are in the bundle."""
    for image in expected.images:
        for repository in image.repositories:
            for blob in image.upstream:
                yield _NamedManifest(repository, str(blob.digest), blob, image.media_type)


def _kept(reply: Reply, data: bytearray) -> Iterator[bytes]:
    for chunk in reply.chunks:
        data += chunk
        yield chunk


def _wrong_fields(document: _NamedManifest, fields: Mapping[str, str]) -> list[Finding]:
    """Compare the header fields of a document that is right; there need not be a digest, which clients compute."""
    digest = fields.get(DIGEST_FIELD, str(document.blob.digest))
    wanted = {
        "Content-Type": (document.media_type, fields.get("content-type", "nothing").partition(";")[0].strip()),
        "Docker-Content-Digest": (str(document.blob.digest), digest),
    }
    return [
        Finding(str(document), "differs", f"{field}: {want}", got)
        for field, (want, got) in wanted.items()
        if want != got
    ]
