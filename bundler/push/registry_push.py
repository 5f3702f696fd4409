"""Push a plan straight from the layout: every platform, digests preserved, only what is missing.

Owns the order (names looked at, bytes checked, blobs, manifests of platforms, the name itself, the name compared) and
that one image's failure does not stop the others; refuses to know HTTP (`interface.RegistryWriter`) and projects.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.model.image.bundled import DOCUMENT_TYPES, media_type
from bundler.push.push_report import Projects, PushReport, Result, Sent
from bundler.threads import attempt_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.progress import Progress, Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import RegistryWriter
    from bundler.push.push_plan import PlannedPush, PushPlan


class Blobs(Protocol):
    """Where the bytes come from; `layout.Layout` implements it."""

    def damaged(self, files: Iterable[IndexedFile], task: Task) -> Mapping[str, BundlerError]:
        """Return what is wrong with files that are not the listed ones, or cannot be read, by path."""

    def read(self, file: IndexedFile) -> bytes:
        """Return a document's bytes."""

    def pieces(self, file: IndexedFile) -> Pieces:
        """Return what yields a file's bytes from an offset on."""


OnExistingTag = Literal["skip", "overwrite", "fail"]
W = TypeVar("W")


@dataclass(slots=True)
class _Way:
    """One name on its way; `result` is there once it is decided."""

    push: PlannedPush
    before: Digest | None = None
    result: Result | None = None

    def fail(self, error: BundlerError) -> None:
        if self.result is None:
            self.result = Result(self.push, "failed", self.before, error)


@dataclass(slots=True)
class _Freight:
    """One blob, by repository the names that want it there, and the repositories that have it."""

    file: IndexedFile
    ways: dict[str, list[_Way]] = field(default_factory=dict)
    having: list[str] = field(default_factory=list)

    @property
    def wanting(self) -> list[str]:
        """The repositories that lack it and have an image which has not failed for other reasons."""
        having = set(self.having)
        return [name for name, ways in self.ways.items() if name not in having and _undecided(ways)]


def push(
    plan: PushPlan,
    layout: Blobs,
    writer: RegistryWriter,
    progress: Progress,
    *,
    jobs: int,
    on_existing_tag: OnExistingTag,
    dry_run: bool = False,
    projects: Projects | None = None,
) -> PushReport:
    """Push everything that is missing and return what became of each name.

    Arguments:
        jobs: how many blobs or manifests are on their way at once, at least 1.
        on_existing_tag: what to do with a tag that stands for another image; `fail` fails that image alone.
        dry_run: only look what is there; everything else is `missing` in the report.
        projects: what is known of them; names in one that cannot be had fail, those in an empty one are not looked at.

    Raises nothing that concerns single images: their errors are in the report.
    """
    run = _Run(layout, writer, progress, jobs)
    ways = [_Way(push) for push in plan.pushes]
    known = projects or Projects()
    for way in ways:
        if (refused := known.refused.get(way.push.target.project)) is not None:
            way.fail(refused)
    looked_at = [way for way in _undecided(ways) if way.push.target.project not in known.empty]
    run.each(looked_at, lambda way: run.look(way, on_existing_tag), lambda way: [way])
    if dry_run:
        left = (way.result or Result(way.push, "missing", way.before) for way in ways)
        return PushReport(tuple(left), Sent(0, 0, 0), known)
    run.check(_undecided(ways))
    freight = _freight(ways)
    progress.expect(sum(one.file.blob.size * len(one.wanting) for one in freight))
    # from the first repository that takes a blob the others can take it over
    while first := [(one, one.wanting[0]) for one in freight if not one.having and one.wanting]:
        run.each(first, run.carry, _ways)
    run.each([(one, repository) for one in freight for repository in one.wanting], run.carry, _ways)
    run.each(_undecided(ways), run.name, lambda way: [way])
    return PushReport(
        tuple(way.result for way in ways if way.result), Sent(run.blobs, run.blob_bytes, run.mounted), known
    )


@dataclass(slots=True)
class _Run:
    """What the steps share."""

    layout: Blobs
    writer: RegistryWriter
    progress: Progress
    jobs: int
    blobs: int = 0
    blob_bytes: int = 0
    mounted: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    def each(self, work: Sequence[W], act: Callable[[W], None], ways: Callable[[W], Sequence[_Way]]) -> None:
        """Do every piece of work; the ways of one that fails have failed, at once, so that others need not go on."""

        def attempt(index: int, _: Callable[[], bool]) -> None:
            try:
                act(work[index])
            except BundlerError as error:
                for way in ways(work[index]):
                    way.fail(error)

        attempt_each(len(work), attempt, threads=self.jobs)

    def look(self, way: _Way, on_existing_tag: OnExistingTag) -> None:
        """Decide what is to be done about a name that stands for something already."""
        target, want = way.push.target, way.push.digest
        held = self.writer.manifest_digest(target.repository, target.tag or str(want))
        if held == want:
            way.result = Result(way.push, "present")
        elif held is not None:
            way.before = held
            if on_existing_tag == "skip":
                way.result = Result(way.push, "skipped", held)
            elif on_existing_tag == "fail":
                raise tag_taken(way.push, self.writer.host, held)

    def check(self, ways: Sequence[_Way]) -> None:
        """Let no image begin of which some bytes are not the listed ones."""
        files = {file.path: file for way in ways for file in way.push.files}
        task = self.progress.task("checking the images", sum(file.blob.size for file in files.values()))
        wrong = self.layout.damaged(files.values(), task)
        task.finish("damaged" if wrong else "intact")
        for way in ways:
            for file in way.push.files:
                if file.path in wrong:
                    way.fail(wrong[file.path])

    def carry(self, leg: tuple[_Freight, str]) -> None:
        """Bring a blob into a repository that wants it, unless its images there have failed meanwhile."""
        freight, repository = leg
        if not _undecided(freight.ways[repository]):
            return
        blob = freight.file.blob
        task = self.progress.task(f"{repository} {blob.digest.hex[:12]}", blob.size)
        try:
            outcome = self._carried(repository, freight.file, freight.having, task)
        except BundlerError:
            task.finish("failed")
            raise
        task.finish(outcome)
        freight.having.append(repository)

    def _carried(self, repository: str, file: IndexedFile, having: Sequence[str], task: Task) -> str:
        """Bring a blob into one repository and return how; `having` are others that have it."""
        if self.writer.has_blob(repository, file.blob):
            return "present"
        if having and self.writer.mount(repository, file.blob, having[0]):
            self._count(mounted=1)
            return "taken over"
        self.writer.upload(repository, file.blob, self.layout.pieces(file), task)
        self._count(blobs=1, blob_bytes=file.blob.size)
        return ""

    def name(self, way: _Way) -> None:
        """Put the documents, those of the platforms first, and compare what the name stands for then."""
        push, repository = way.push, way.push.target.repository
        children = [file for file in push.files[1:] if media_type(file) in DOCUMENT_TYPES]
        for child in children:
            self.writer.put_manifest(repository, str(child.blob.digest), media_type(child), self.layout.read(child))
        name = push.target.tag or str(push.digest)
        self.writer.put_manifest(repository, name, media_type(push.document), self.layout.read(push.document))
        got = self.writer.manifest_digest(repository, name)
        if got != push.digest:
            raise _other_digest(push, self.writer.host, got)
        way.result = Result(push, "pushed", way.before)

    def _count(self, *, blobs: int = 0, blob_bytes: int = 0, mounted: int = 0) -> None:
        with self.counting:
            self.blobs += blobs
            self.blob_bytes += blob_bytes
            self.mounted += mounted


def _undecided(ways: Sequence[_Way]) -> list[_Way]:
    return [way for way in ways if way.result is None]


def _ways(leg: tuple[_Freight, str]) -> Sequence[_Way]:
    """Return the images that need a blob in a repository."""
    freight, repository = leg
    return freight.ways[repository]


def _freight(ways: Sequence[_Way]) -> list[_Freight]:
    """Return the blobs that are no documents, the largest first so that none is left alone at the end."""
    found: dict[str, _Freight] = {}
    for way in _undecided(ways):
        for file in way.push.files:
            if media_type(file) not in DOCUMENT_TYPES:
                wanted_in = found.setdefault(file.path, _Freight(file)).ways
                wanted_in.setdefault(way.push.target.repository, []).append(way)
    for way in ways:
        if way.result is not None and way.result.outcome == "present":
            for file in way.push.files:
                if (one := found.get(file.path)) is not None:
                    one.having.append(way.push.target.repository)
    return sorted(found.values(), key=lambda one: (-one.file.blob.size, one.file.path))


def tag_taken(push: PlannedPush, host: str, held: Digest) -> PublishError:
    """Return the error for a tag that stands for another image, and is to be left alone."""
    return PublishError(
        ErrorId.PUSH_TAG_TAKEN,
        f"stands for another image already: it is {held}, the bundle has {push.digest}",
        where=f"{host}/{push.name}",
        remedy="Push with --on-existing-tag overwrite to replace it, skip to keep it, or under another --project.",
    )


def _other_digest(push: PlannedPush, host: str, got: Digest | None) -> PublishError:
    return PublishError(
        ErrorId.PUSH_REFUSED,
        f"the registry took the image, and has {got or 'nothing'} now where {push.digest} should be",
        where=f"{host}/{push.name}",
        remedy="See whether somebody else pushes there, or whether the registry converts images; then push again.",
    )
