"""Load the images of an unpacked bundle into an engine, one at a time, and report the outcome of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bundler.archive.bundled_images import open_images
from bundler.errors import BundleFormatError, BundlerError, ErrorId, SiteError
from bundler.model.image.table import for_platforms, named_like
from bundler.outcome_words import shown_word
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.archive.bundled_images import BundledImages
    from bundler.model.image.table import TabledImage
    from bundler.model.platform import Platform
    from bundler.model.progress import Progress
    from bundler.model.reference import Reference
    from bundler.push.engine import Engine


class LoadOutcome(StrEnum):
    """The outcome of one image."""

    LOADED = "loaded"
    PRESENT = "present"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One image and its outcome; `failure` is its error if it failed, else None."""

    image: TabledImage
    outcome: LoadOutcome
    failure: BundlerError | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The outcome of a whole run.

    Arguments:
        engine: its address.
        results: in the order of the table.
        elsewhere: names of wanted images that the bundle has for other platforms only.
    """

    engine: str
    results: tuple[LoadResult, ...]
    elsewhere: tuple[tuple[Reference, ...], ...]

    @property
    def failures(self) -> tuple[LoadResult, ...]:
        """The results of the images that failed."""
        return tuple(one for one in self.results if one.failure is not None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The images of a run, and the names of wanted images that the bundle has for other platforms only."""

    images: tuple[TabledImage, ...]
    elsewhere: tuple[tuple[Reference, ...], ...]


def choose(images: Sequence[TabledImage], *, only: Sequence[str], platforms: Sequence[Platform], where: str) -> Chosen:
    """Choose by globs of names (none: all) and by platform, the best first.

    Raises BundleFormatError (IMAGE_NOT_IN_BUNDLE) when nothing is left.
    """
    wanted = [image for image in images if named_like(image, only)]
    found = for_platforms(wanted, platforms)
    if not found:
        offered = ", ".join(sorted({str(image.platform) for image in wanted}))
        for_these = tr(" or ").join(map(str, platforms))
        what = tr("there is no image for {for_these}, only for {offered}", for_these=for_these, offered=offered)
        if not wanted:
            what = tr("no image is named {only}", only=tr(" or ").join(only))
        raise BundleFormatError(
            ErrorId.IMAGE_NOT_IN_BUNDLE,
            what if images else tr("this bundle holds no image that could be loaded"),
            where=where,
            remedy=tr(
                "`bundler inspect` shows what the bundle holds; mend --only or --platform, or take another bundle."
            ),
        )
    present = {image.names for image in found}
    elsewhere = dict.fromkeys(image.names for image in wanted if image.names not in present)
    return Chosen(found, tuple(elsewhere))


def load_images(
    root: Path, engine: Engine, progress: Progress, *, only: Sequence[str] = (), platform: Platform | None = None
) -> LoadReport:
    """Load what the engine lacks; a failed image does not stop the others.

    Arguments:
        root: the directory that the bundle was unpacked into.
        only: globs of names; none means all images.
        platform: whose images to load instead of the engine's own.

    Raises BundleFormatError, IntegrityError and StorageError of the bundle as a whole, SiteError of the engine.
    """
    with open_images(root) as bundled:
        table = bundled.table()
        platforms = (platform,) if platform else engine.platforms()
        chosen = choose(table, only=only, platforms=platforms, where=bundled.where)
        lacking = {image for image in chosen.images if _lacking(image, engine)}
        progress.expect(sum(image.size for image in lacking))
        results = tuple(
            _load(image, bundled, engine, progress) if image in lacking else _present(image, progress)
            for image in chosen.images
        )
    return LoadReport(engine.where, results, chosen.elsewhere)


def ensure_loaded(image: TabledImage, bundled: BundledImages, engine: Engine, progress: Progress) -> LoadResult:
    """Load one image unless the engine has it under all of its names; raises SiteError when the engine fails."""
    return _load(image, bundled, engine, progress) if _lacking(image, engine) else _present(image, progress)


def loaded_id(image: TabledImage, engine: Engine) -> str | None:
    """Return the engine's id of an image that it has under one of its names, or None."""
    found = (_identity(name, image, engine) for name in image.names)
    return next((identity for identity in found if identity in image.ids), None)


def require_loaded(report: LoadReport) -> None:
    """Raise the error of the first image that failed; the others' errors become its problems."""
    failures = [one.failure for one in report.failures if one.failure is not None]
    if failures:
        first, *others = failures
        raise first.with_context(problems=[tr("error: {summary}", summary=other.summary()) for other in others])


def _present(image: TabledImage, progress: Progress) -> LoadResult:
    progress.task(image.title, 0).finish(shown_word(LoadOutcome.PRESENT))
    return LoadResult(image, LoadOutcome.PRESENT)


def _load(image: TabledImage, bundled: BundledImages, engine: Engine, progress: Progress) -> LoadResult:
    task = progress.task(image.title, image.size)
    try:
        engine.load(bundled.archive(image, task))
        _check_loaded(image, engine)
    except BundlerError as error:
        task.finish(tr("failed: {error}", error=error))
        return LoadResult(image, LoadOutcome.FAILED, error)
    except BaseException:
        task.finish(tr("interrupted"))
        raise
    task.finish(shown_word(LoadOutcome.LOADED))
    return LoadResult(image, LoadOutcome.LOADED)


def _check_loaded(image: TabledImage, engine: Engine) -> None:
    if lacking := _lacking(image, engine):
        found = ", ".join(
            tr("{name} is {identity}", name=name, identity=identity or tr("not there"))
            for name, identity in lacking.items()
        )
        raise SiteError(
            ErrorId.ENGINE_IMAGE_DIFFERS,
            tr("the engine took it without a complaint, but {found}", found=found),
            where=image.title,
            remedy=tr(
                "See whether something else changes images of this engine meanwhile, then run the command again."
            ),
            step="load-images",
        )


def _lacking(image: TabledImage, engine: Engine) -> dict[str, str | None]:
    """Return the names under which the engine has another image, with its id, or nothing, with None."""
    found = {str(name): _identity(name, image, engine) for name in image.names}
    return {name: identity for name, identity in found.items() if identity not in image.ids}


def _identity(name: Reference, image: TabledImage, engine: Engine) -> str | None:
    if name.tag:
        return engine.image_id(name.tagged)
    # an archive cannot give a name by digest: such an image is known by its id alone
    return engine.image_id(str(image.image_id)) or engine.image_id(str(image.manifest.digest))
