"""Push a plan through a container engine: each image is loaded, named, sent by the engine, and compared afterwards.

Owns that order, that the engine's names are afterwards what they were, and that one image's failure does not stop the
others; refuses to know Docker (`engine.PushingEngine`), HTTP and projects. An engine sends one platform of an image and
packs its layers anew: what is compared is the image's id, not a manifest's digest.
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
from bundler.push.push_report import Projects, PushReport, Result, Sent
from bundler.push.registry_push import tag_taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.archive.bundled_images import HeldImages
    from bundler.model.digest import Digest
    from bundler.model.image.table import TabledImage
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress, Task
    from bundler.net.interface import RegistryWriter
    from bundler.net.registry.credentials import Logins, RegistryLogin
    from bundler.net.retry import Retry
    from bundler.push.engine import PushingEngine
    from bundler.push.push_plan import PlannedPush, PushPlan
    from bundler.push.registry_push import OnExistingTag


@dataclass(slots=True)
class Passage:
    """What a push through an engine goes by.

    Arguments:
        host: what the engine calls the registry, see `reference.docker_host`.
        writer: the registry itself, which is asked before and afterwards.
        logins: who pushes; the engine is told for each repository.
        retry: how often the engine is asked to push the same.
    """

    images: HeldImages
    engine: PushingEngine
    host: str
    writer: RegistryWriter
    logins: Logins
    retry: Retry
    progress: Progress


def platform_obstacles(plan: PushPlan, platforms: Sequence[Platform]) -> tuple[str, ...]:
    """Return a line for every image that has more than the one platform that an engine runs, or another."""
    told = {
        f"{push.source} is for {', '.join(map(str, push.platforms)) or 'no platform that is told'}": None
        for push in plan.pushes
        if len(push.platforms) != 1 or not any(push.platforms[0].matches(own) for own in platforms)
    }
    return tuple(told)


def push_through(
    plan: PushPlan,
    passage: Passage,
    *,
    on_existing_tag: OnExistingTag,
    dry_run: bool = False,
    projects: Projects | None = None,
) -> PushReport:
    """Push what the registry lacks, one image after the other; the engine sends several layers at once.

    Arguments as for `registry.push`. The images stay in the engine under the names that the bundle gives them.

    Raises nothing that concerns single images: their errors are in the report.
    """
    known = projects or Projects()
    run = _Run(passage, known, on_existing_tag, dry_run)
    results = tuple(run.outcome(_Way(push)) for push in plan.pushes)
    return PushReport(results, Sent(run.blobs, run.blob_bytes, run.mounted), known)


@dataclass(slots=True)
class _Way:
    push: PlannedPush
    before: Digest | None = None


@dataclass(slots=True)
class _Run:
    by: Passage
    known: Projects
    on_existing_tag: OnExistingTag
    dry_run: bool
    blobs: int = field(default=0, init=False)
    blob_bytes: int = field(default=0, init=False)
    mounted: int = field(default=0, init=False)

    def outcome(self, way: _Way) -> Result:
        try:
            return self._pushed(way)
        except BundlerError as error:
            return Result(way.push, "failed", way.before, error)

    def _pushed(self, way: _Way) -> Result:
        push = way.push
        if (refused := self.known.refused.get(push.target.project)) is not None:
            raise refused
        image = self._image(push)
        if push.target.project not in self.known.empty and (found := self._look(way, image)) is not None:
            return found
        if self.dry_run:
            return Result(push, "missing", way.before)
        handled = ensure_loaded(image, self.by.images, self.by.engine, self.by.progress)
        if handled.failure is not None:
            raise handled.failure
        with self._named(push, image):
            told = self._send(push)
        self._compare(push, image, told)
        return Result(push, "pushed", way.before)

    def _image(self, push: PlannedPush) -> TabledImage:
        """Return the image of the one platform that is pushed."""
        if not push.target.tag:
            raise PublishError(
                ErrorId.PUSH_NAME_INVALID,
                "an engine pushes by tag, and this image is known by its digest alone",
                where=str(push.source),
                remedy="Push it with --via registry, which keeps digests.",
            )
        manifest = push.image.manifest_for(push.platforms)
        for image in self.by.images.images:
            if manifest is not None and image.digest == push.image.digest and image.manifest == manifest.blob:
                return image
        raise BundleFormatError(
            ErrorId.IMAGE_NOT_IN_BUNDLE,
            "this is no image that an engine could load",
            where=str(push.source),
            remedy="Push it with --via registry.",
        )

    def _look(self, way: _Way, image: TabledImage) -> Result | None:
        """Decide what is to be done about a name that stands for something already."""
        target = way.push.target
        held = self.by.writer.manifest_digest(target.repository, target.tag)
        if held is None:
            return None
        if self._is_it(way.push, image, held):
            return Result(way.push, "present")
        way.before = held
        if self.on_existing_tag == "skip":
            return Result(way.push, "skipped", held)
        if self.on_existing_tag == "fail":
            raise tag_taken(way.push, self.by.writer.host, held)
        return None

    def _is_it(self, push: PlannedPush, image: TabledImage, held: Digest) -> bool:
        """Tell whether the registry has the image: byte for byte, or with layers that an engine has packed."""
        if held in (push.digest, image.manifest.digest):
            return True
        return self.by.writer.config_digest(push.target.repository, str(held)) == image.image_id

    @contextmanager
    def _named(self, push: PlannedPush, image: TabledImage) -> Iterator[None]:
        """Give the image its name in the registry meanwhile; whatever had that name has it again afterwards."""
        engine, repository, tag = self.by.engine, self._repository(push), push.target.tag
        name = f"{repository}:{tag}"
        own, other = loaded_id(image, engine), engine.image_id(name)
        if own is None:
            raise _differs(name, "not there any more")
        if own == other:
            yield
            return

        def restore() -> None:
            # with the name goes the digest that the engine has noted of the push under it
            engine.untag(name)
            if other is not None:
                engine.tag(other, repository, tag)

        try:
            # an interruption may come as soon as the engine has heard of it
            engine.tag(own, repository, tag)
            if (found := engine.image_id(name)) not in image.ids:
                raise _differs(name, f"{found or 'not there'} now")
            yield
        except BaseException:
            # what went wrong first is what to tell
            with suppress(BundlerError):
                restore()
            raise
        restore()

    def _send(self, push: PlannedPush) -> Digest | None:
        """Have the engine push it, again where that may help; returns the digest that the engine tells."""
        task = self.by.progress.task(push.name, None)
        try:
            login = self.by.logins.login(self.by.writer.host, push.target.repository)
            return self.by.retry.run(lambda: self._attempt(push, login, task), task)
        except SourceError as error:
            task.finish("failed")
            host = self.by.writer.host
            raise publish_error(error, RegistryEndpoint(host, f"https://{host}", insecure=False)) from error
        except BaseException:
            task.finish("failed")
            raise

    def _attempt(self, push: PlannedPush, login: RegistryLogin | None, task: Task) -> Digest | None:
        layers = LayerProgress(self.by.progress, push.target.repository)
        try:
            told = self.by.engine.push(self._repository(push), push.target.tag, login, layers.step)
        finally:
            layers.end()
            self.blobs += layers.blobs
            self.blob_bytes += layers.blob_bytes
            self.mounted += layers.mounted
        task.finish("pushed")
        return told

    def _compare(self, push: PlannedPush, image: TabledImage, told: Digest | None) -> None:
        """Raise unless the name stands for the image now."""
        held = self.by.writer.manifest_digest(push.target.repository, push.target.tag)
        if held is None or (told is not None and told != held) or not self._is_it(push, image, held):
            raise PublishError(
                ErrorId.PUSH_REFUSED,
                f"the engine has pushed the image, and the registry has {held or 'nothing'} now, whose image id is "
                f"not {image.image_id}",
                where=f"{self.by.writer.host}/{push.name}",
                remedy="See whether somebody else pushes there, then push again.",
            )

    def _repository(self, push: PlannedPush) -> str:
        return f"{self.by.host}/{push.target.repository}"


def _differs(name: str, what: str) -> SiteError:
    return SiteError(
        ErrorId.ENGINE_IMAGE_DIFFERS,
        f"the engine gave the image this name without a complaint, and it is {what}",
        where=name,
        remedy="See whether something else changes images of this engine meanwhile, then run the command again.",
        step="push-images",
    )
