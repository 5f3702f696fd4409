"""Push a plan through a container engine: each image is loaded, named, sent by the engine, and compared afterwards.

Owns that order, that the engine's names are the same afterwards as before, and that one image's failure does not stop
the others; refuses to know Docker (`engine.PushingEngine`), HTTP and projects. An engine sends one platform of an image
and compresses its layers again: the comparison is by the image's id, not by a manifest's digest.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import BundleFormatError, BundlerError, ErrorId, PublishError, SiteError, SourceError
from bundler.net.registry.endpoint import RegistryEndpoint
from bundler.net.registry.push_errors import publish_error
from bundler.push.layer_progress import LayerProgress
from bundler.push.loading import ensure_loaded, loaded_id
from bundler.push.push_report import Projects, PushReport, PushResult, Sent
from bundler.push.push_state import PushState
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.archive.bundled_images import BundledImages
    from bundler.model.digest import Digest
    from bundler.model.image.table import TabledImage
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress, Task
    from bundler.net.interface import RegistryWriter
    from bundler.net.registry.credentials import Logins, RegistryLogin
    from bundler.net.retry import Retry
    from bundler.push.engine import PushingEngine
    from bundler.push.push_plan import PlannedPush, PushPlan
    from bundler.push.push_state import OnExistingTag


@dataclass(slots=True)
class EnginePush:
    """What a push through an engine works with.

    Arguments:
        host: the engine's name for the registry, see `reference.docker_host`.
        writer: the registry itself, for looking up names before and afterwards.
        logins: the credentials, handed to the engine for each repository.
        retry: how often the engine pushes the same image.
    """

    images: BundledImages
    engine: PushingEngine
    host: str
    writer: RegistryWriter
    logins: Logins
    retry: Retry
    progress: Progress


def platform_obstacles(plan: PushPlan, platforms: Sequence[Platform]) -> tuple[str, ...]:
    """Return a line for every image that is not for exactly one of the platforms that an engine runs."""
    lines = {
        tr(
            "{source} is for {platforms}",
            source=push.source,
            platforms=", ".join(map(str, push.platforms)) or tr("no platform that is told"),
        ): None
        for push in plan.pushes
        if len(push.platforms) != 1 or not any(push.platforms[0].matches(own) for own in platforms)
    }
    return tuple(lines)


def push_through_engine(
    plan: PushPlan,
    through: EnginePush,
    *,
    on_existing_tag: OnExistingTag,
    dry_run: bool = False,
    projects: Projects | None = None,
) -> PushReport:
    """Push what the registry lacks, one image after the other; the engine sends several layers at once.

    Arguments as for `registry_push.push`. The images stay in the engine under their names of the bundle.

    Raises the errors of the bundle's table, and nothing that concerns single images: those are in the report.
    """
    known = projects or Projects()
    run = _EngineRun(through, through.images.table(), known, on_existing_tag, dry_run)
    results = tuple(run.result(PushState(push)) for push in plan.pushes)
    return PushReport(results, Sent(run.blobs, run.blob_bytes, run.mounted), known)


@dataclass(slots=True)
class _EngineRun:
    through: EnginePush
    table: Sequence[TabledImage]
    known: Projects
    on_existing_tag: OnExistingTag
    dry_run: bool
    blobs: int = field(default=0, init=False)
    blob_bytes: int = field(default=0, init=False)
    mounted: int = field(default=0, init=False)

    def result(self, state: PushState) -> PushResult:
        try:
            return self._pushed(state)
        except BundlerError as error:
            return PushResult(state.push, "failed", state.before, error)

    def _pushed(self, state: PushState) -> PushResult:
        push = state.push
        if (refused := self.known.refused.get(push.target.project)) is not None:
            raise refused
        image = self._image(push)
        if push.target.project not in self.known.empty:
            self._look_up(state, image)
        if state.result is not None:
            return state.result
        if self.dry_run:
            return PushResult(push, "missing", state.before)
        loaded = ensure_loaded(image, self.through.images, self.through.engine, self.through.progress)
        if loaded.failure is not None:
            raise loaded.failure
        with self._tagged(push, image):
            sent = self._send(push)
        self._compare(push, image, sent)
        return PushResult(push, "pushed", state.before)

    def _image(self, push: PlannedPush) -> TabledImage:
        """Return the image for the one platform that is pushed."""
        if not push.target.tag:
            raise PublishError(
                ErrorId.PUSH_NAME_INVALID,
                tr("an engine pushes by tag, and this image is known by its digest alone"),
                where=str(push.source),
                remedy=tr("Push it with --via registry, which keeps digests."),
            )
        manifest = push.image.manifest_for(push.platforms)
        for image in self.table:
            if manifest is not None and image.digest == push.image.digest and image.manifest == manifest.blob:
                return image
        raise BundleFormatError(
            ErrorId.IMAGE_NOT_IN_BUNDLE,
            tr("this is no image that an engine could load"),
            where=str(push.source),
            remedy=tr("Push it with --via registry."),
        )

    def _look_up(self, state: PushState, image: TabledImage) -> None:
        """Decide what to do about a name that exists already."""
        target = state.push.target
        current = self.through.writer.manifest_digest(target.repository, target.tag)
        if current is None:
            return
        if self._is_same(state.push, image, current):
            is_packed = current not in (state.push.digest, image.manifest.digest)
            state.result = PushResult(state.push, "present", packed=current if is_packed else None)
        else:
            state.keep_or_overwrite(current, self.on_existing_tag, self.through.writer.host)

    def _is_same(self, push: PlannedPush, image: TabledImage, current: Digest) -> bool:
        """Tell whether the registry has the image: byte for byte, or with layers that an engine compressed."""
        if current in (push.digest, image.manifest.digest):
            return True
        return self.through.writer.config_digest(push.target.repository, str(current)) == image.image_id

    @contextmanager
    def _tagged(self, push: PlannedPush, image: TabledImage) -> Iterator[None]:
        """Tag the image with its name in the registry; afterwards the tag is restored to what it was."""
        engine, repository, tag = self.through.engine, self._repository(push), push.target.tag
        name = f"{repository}:{tag}"
        own, other = loaded_id(image, engine), engine.image_id(name)
        if own is None:
            raise _differs(name, tr("not there any more"))
        if own == other:
            yield
            return

        def restore() -> None:
            # removing the name also removes the digest that the engine stored for the push under it
            engine.untag(name)
            if other is not None:
                engine.tag(other, repository, tag)

        try:
            # inside the block: an interruption may come as soon as the engine has the request
            engine.tag(own, repository, tag)
            if (found := engine.image_id(name)) not in image.ids:
                raise _differs(name, tr("{found} now", found=found or tr("not there")))
            yield
        except BaseException:
            # the first error is the one to report
            with suppress(BundlerError):
                restore()
            raise
        restore()

    def _send(self, push: PlannedPush) -> Digest | None:
        """Have the engine push it, again where that may help; returns the digest that the engine reports, or None."""
        task = self.through.progress.task(push.name, None)
        try:
            login = self.through.logins.login(self.through.writer.host, push.target.repository)
            return self.through.retry.run(lambda: self._attempt(push, login, task), task)
        except SourceError as error:
            task.finish(tr("failed"))
            host = self.through.writer.host
            raise publish_error(error, RegistryEndpoint(host, f"https://{host}", insecure=False)) from error
        except BaseException:
            task.finish(tr("failed"))
            raise

    def _attempt(self, push: PlannedPush, login: RegistryLogin | None, task: Task) -> Digest | None:
        layers = LayerProgress(self.through.progress, push.target.repository)
        try:
            digest = self.through.engine.push(self._repository(push), push.target.tag, login, layers.step)
        finally:
            layers.end()
            self.blobs += layers.blobs
            self.blob_bytes += layers.blob_bytes
            self.mounted += layers.mounted
        task.finish(tr("pushed"))
        return digest

    def _compare(self, push: PlannedPush, image: TabledImage, sent: Digest | None) -> None:
        """Raise unless the name stands for the image now; `sent` is the digest that the engine reported, or None."""
        current = self.through.writer.manifest_digest(push.target.repository, push.target.tag)
        if current is None or (sent is not None and sent != current) or not self._is_same(push, image, current):
            raise PublishError(
                ErrorId.PUSH_REFUSED,
                tr(
                    "the engine has pushed the image, and the registry has {current} now, whose image id is "
                    "not {image_id}",
                    current=current or tr("nothing"),
                    image_id=image.image_id,
                ),
                where=f"{self.through.writer.host}/{push.name}",
                remedy=tr("See whether somebody else pushes there, then push again."),
            )

    def _repository(self, push: PlannedPush) -> str:
        return f"{self.through.host}/{push.target.repository}"


def _differs(name: str, what: str) -> SiteError:
    return SiteError(
        ErrorId.ENGINE_IMAGE_DIFFERS,
        tr("the engine gave the image this name without a complaint, and it is {what}", what=what),
        where=name,
        remedy=tr("See whether something else changes images of this engine meanwhile, then run the command again."),
        step="push-images",
    )
