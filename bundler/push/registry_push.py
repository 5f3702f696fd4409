"""Push a plan straight from the bundle: every platform, digests preserved, only what is missing.

Owns the order (look up names, check bytes, upload blobs, put the platforms' manifests, put the name, compare it) and
that one image's failure does not stop the others; refuses to know HTTP (`interface.RegistryWriter`) and projects.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.model.image.bundled import DOCUMENT_TYPES, media_type
from bundler.model.image.oci import MANIFEST_TYPES, ImageManifest, parse_document
from bundler.push.push_report import Projects, PushReport, PushResult, Sent
from bundler.push.push_state import PushState, undecided
from bundler.threads import attempt_each
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.progress import Progress, Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import RegistryWriter
    from bundler.push.push_plan import PlannedPush, PushPlan
    from bundler.push.push_state import OnExistingTag

W = TypeVar("W")


class Blobs(Protocol):
    """Where the bytes come from; `archive.bundled_images` implements it."""

    def damaged(self, files: Iterable[IndexedFile], task: Task) -> Mapping[str, BundlerError]:
        """Return the errors of files that differ from the listed ones, or cannot be read, by path."""

    def read(self, file: IndexedFile) -> bytes:
        """Return a document's bytes."""

    def pieces(self, file: IndexedFile) -> Pieces:
        """Return what yields a file's bytes from an offset on."""


@dataclass(slots=True)
class _BlobUpload:
    """One blob.

    Arguments:
        states: repository -> the pushes that need it there.
        present_in: repositories that have it: those of images that exist already should, those of this run do.
        confirmed: whether the registry has shown in this run that one repository has it.
    """

    file: IndexedFile
    states: dict[str, list[PushState]] = field(default_factory=dict)
    present_in: list[str] = field(default_factory=list)
    confirmed: bool = False

    @property
    def needed_in(self) -> list[str]:
        """The repositories with a push that has not failed for other reasons."""
        return [name for name, states in self.states.items() if undecided(states)]

    @property
    def missing_in(self) -> list[str]:
        """Those of them that lack it."""
        present = set(self.present_in)
        return [name for name in self.needed_in if name not in present]


@dataclass(frozen=True, slots=True)
class _Child:
    """A platform's manifest in one repository, and the pushes that need it there."""

    repository: str
    file: IndexedFile
    states: list[PushState]


def push(
    plan: PushPlan,
    content: Blobs,
    writer: RegistryWriter,
    progress: Progress,
    *,
    jobs: int,
    on_existing_tag: OnExistingTag,
    dry_run: bool = False,
    projects: Projects | None = None,
) -> PushReport:
    """Push everything that is missing and return the result of each name.

    Arguments:
        jobs: how many blobs or manifests are sent at once, at least 1.
        on_existing_tag: what to do with a tag that stands for another image; `fail` fails that image alone.
        dry_run: only look up what exists; everything else is `missing` in the report.
        projects: what is known about them; names in a refused one fail, those in an empty one are not looked up.

    Raises nothing that concerns single images: their errors are in the report.
    """
    run = _RegistryRun(content, writer, progress, jobs)
    states = [PushState(push) for push in plan.pushes]
    known = projects or Projects()
    for state in states:
        if (refused := known.refused.get(state.push.target.project)) is not None:
            state.fail(refused)
    existing = [state for state in undecided(states) if state.push.target.project not in known.empty]
    run.each(existing, lambda state: run.look_up(state, on_existing_tag), lambda state: [state])
    if dry_run:
        results = (state.result or PushResult(state.push, "missing", state.before) for state in states)
        return PushReport(tuple(results), Sent(0, 0, 0), known)
    run.check_bytes(undecided(states))
    uploads = _blob_uploads(states)
    progress.expect(sum(upload.file.blob.size * len(upload.needed_in) for upload in uploads))
    # from the first repository that accepts a blob it can be mounted into the others; that an image exists is no proof
    # of its blobs, which a registry may have lost
    while first := [(one, one.needed_in[0]) for one in uploads if not one.confirmed and one.needed_in]:
        run.each(first, run.upload, _states_of)
    run.each([(one, repository) for one in uploads for repository in one.missing_in], run.upload, _states_of)
    # nothing is put twice at a time: registries that look at what they have stored see the other one's half
    run.each(_children(states), run.put_child, lambda child: child.states)
    run.each(_of_one_image(states), run.put_names, lambda alike: alike)
    sent = Sent(run.blobs, run.blob_bytes, run.mounted)
    return PushReport(tuple(state.result for state in states if state.result), sent, known)


@dataclass(slots=True)
class _RegistryRun:
    """What the steps share."""

    content: Blobs
    writer: RegistryWriter
    progress: Progress
    jobs: int
    blobs: int = 0
    blob_bytes: int = 0
    mounted: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    def each(self, work: Sequence[W], act: Callable[[W], None], states_of: Callable[[W], Sequence[PushState]]) -> None:
        """Do every piece of work; when one fails, its pushes fail at once, so that no more work is done for them."""

        def attempt(index: int, _: Callable[[], bool]) -> None:
            try:
                act(work[index])
            except BundlerError as error:
                for state in states_of(work[index]):
                    state.fail(error)

        attempt_each(len(work), attempt, threads=self.jobs)

    def look_up(self, state: PushState, on_existing_tag: OnExistingTag) -> None:
        """Decide what to do about a name that exists already."""
        target, want = state.push.target, state.push.digest
        current = self.writer.manifest_digest(target.repository, target.tag or str(want))
        if current == want:
            state.result = PushResult(state.push, "present")
        elif current is not None and self.is_packing(state.push, current):
            state.result = PushResult(state.push, "present", packed=current)
        elif current is not None:
            state.keep_or_overwrite(current, on_existing_tag, self.writer.host)

    def is_packing(self, push: PlannedPush, current: Digest) -> bool:
        """Tell whether a name stands for an engine's own packing of the same image.

        An engine compresses the layers anew; the config, and with it the digest of every layer's content, stays.
        """
        manifests = [file for file in push.files if media_type(file) in MANIFEST_TYPES]
        if len(manifests) != 1:
            # an engine holds one platform: of an image for several it has only a part
            return False
        own = parse_document(self.content.read(manifests[0]), media_type(manifests[0]))
        known = self.writer.config_digest(push.target.repository, str(current))
        return isinstance(own, ImageManifest) and known == own.config.digest

    def check_bytes(self, states: Sequence[PushState]) -> None:
        """Fail every push of which some bytes differ from the listed ones, before anything is sent."""
        files = {file.path: file for state in states for file in state.push.files}
        if not files:
            return
        task = self.progress.task(tr("checking the images"), sum(file.blob.size for file in files.values()), apart=True)
        wrong = self.content.damaged(files.values(), task)
        task.finish(tr("damaged") if wrong else tr("intact"))
        for state in states:
            for file in state.push.files:
                if file.path in wrong:
                    state.fail(wrong[file.path])

    def upload(self, work: tuple[_BlobUpload, str]) -> None:
        """Bring a blob into a repository, unless the pushes that need it there have failed meanwhile."""
        upload, repository = work
        if not undecided(upload.states[repository]):
            return
        blob = upload.file.blob
        task = self.progress.task(f"{repository} {blob.digest.hex[:12]}", blob.size)
        source = next((name for name in upload.present_in if name != repository), "")
        try:
            outcome = self._uploaded(repository, upload.file, source, task)
        except BundlerError:
            task.finish(tr("failed"))
            raise
        task.finish(outcome)
        upload.confirmed = True
        upload.present_in.append(repository)

    def _uploaded(self, repository: str, file: IndexedFile, source: str, task: Task) -> str:
        """Bring a blob into one repository and return how; `source` is another that has it, or ""."""
        if self.writer.has_blob(repository, file.blob):
            return "present"
        if source and self.writer.mount(repository, file.blob, source):
            self._count(mounted=1)
            return tr("taken over")
        self.writer.upload(repository, file.blob, self.content.pieces(file), task)
        self._count(blobs=1, blob_bytes=file.blob.size)
        return ""

    def put_child(self, child: _Child) -> None:
        """Put a platform's manifest, unless the pushes that need it have failed meanwhile."""
        if undecided(child.states):
            file = child.file
            self.writer.put_manifest(child.repository, str(file.blob.digest), media_type(file), self.content.read(file))

    def put_names(self, alike: Sequence[PushState]) -> None:
        """Put the names of one image in one repository, one after the other; a failed one does not stop the next."""
        for state in undecided(alike):
            try:
                self._put_name(state)
            except BundlerError as error:
                state.fail(error)

    def _put_name(self, state: PushState) -> None:
        """Put the image's document, and compare what the name stands for afterwards."""
        push, repository = state.push, state.push.target.repository
        name = push.target.tag or str(push.digest)
        self.writer.put_manifest(repository, name, media_type(push.document), self.content.read(push.document))
        got = self.writer.manifest_digest(repository, name)
        if got != push.digest:
            raise _other_digest(push, self.writer.host, got)
        state.result = PushResult(push, "pushed", state.before)

    def _count(self, *, blobs: int = 0, blob_bytes: int = 0, mounted: int = 0) -> None:
        with self.counting:
            self.blobs += blobs
            self.blob_bytes += blob_bytes
            self.mounted += mounted


def _states_of(work: tuple[_BlobUpload, str]) -> Sequence[PushState]:
    """Return the pushes that need a blob in a repository."""
    upload, repository = work
    return upload.states[repository]


def _blob_uploads(states: Sequence[PushState]) -> list[_BlobUpload]:
    """Return the blobs that are not documents, the largest first so that none is left alone at the end."""
    found: dict[str, _BlobUpload] = {}
    for state in undecided(states):
        for file in state.push.files:
            if media_type(file) not in DOCUMENT_TYPES:
                needed_in = found.setdefault(file.path, _BlobUpload(file)).states
                needed_in.setdefault(state.push.target.repository, []).append(state)
    for state in states:
        if state.result is not None and state.result.outcome == "present":
            for file in state.push.files:
                if (one := found.get(file.path)) is not None:
                    one.present_in.append(state.push.target.repository)
    return sorted(found.values(), key=lambda one: (-one.file.blob.size, one.file.path))


def _children(states: Sequence[PushState]) -> list[_Child]:
    """Return the manifests that images' indexes name, each once for a repository."""
    found: dict[tuple[str, str], _Child] = {}
    for state in undecided(states):
        repository = state.push.target.repository
        for file in state.push.files[1:]:
            if media_type(file) in DOCUMENT_TYPES:
                found.setdefault((repository, file.path), _Child(repository, file, [])).states.append(state)
    return list(found.values())


def _of_one_image(states: Sequence[PushState]) -> list[list[PushState]]:
    """Return the pushes by image and repository."""
    found: dict[tuple[str, Digest], list[PushState]] = {}
    for state in undecided(states):
        found.setdefault((state.push.target.repository, state.push.digest), []).append(state)
    return list(found.values())


def _other_digest(push: PlannedPush, host: str, got: Digest | None) -> PublishError:
    return PublishError(
        ErrorId.PUSH_REFUSED,
        tr(
            "the registry took the image, and has {got} now where {digest} should be",
            got=got or tr("nothing"),
            digest=push.digest,
        ),
        where=f"{host}/{push.name}",
        remedy=tr("See whether somebody else pushes there, or whether the registry converts images; then push again."),
    )
