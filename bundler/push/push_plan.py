"""Which image gets which name, the same for every transport. Pure: images and settings in, targets out.

Owns the names (docs/design.md, 9), the choice of images and platforms, and that no name means two images; refuses to
know a registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.errors import ErrorId, PublishError
from bundler.model.image.bundled import DOCUMENT_TYPES, media_type
from bundler.model.image.oci import INDEX_TYPES
from bundler.model.image.site_name import (
    DEFAULT_PROJECT,
    is_named_like,
    project_problem,
    repository_problem,
    site_repository,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Digest
    from bundler.model.image.bundled import BundleImage
    from bundler.model.platform import Platform
    from bundler.model.reference import Reference

Names = Literal["path", "last", "both"]


@dataclass(frozen=True, slots=True)
class ProjectRule:
    """Images whose name matches a glob go into a project, under the last segment of their path.

    Arguments:
        glob: fnmatch pattern for the name, see `is_named_like`.
        project: a name that Harbor accepts, else ValueError.
    """

    glob: str
    project: str

    def __post_init__(self) -> None:
        if problem := project_problem(self.project):
            raise ValueError(problem)

    @classmethod
    def parse(cls, text: str) -> ProjectRule:
        """Parse `PROJECT` (every image) or `GLOB=PROJECT`."""
        glob, equals, project = text.rpartition("=")
        if equals and not glob:
            raise ValueError(tr("{text!r}: there is no pattern before the =", text=text))
        return cls(glob or "*", project)


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Which images to push, and under which names.

    Arguments:
        projects: the first rule that matches an image counts.
        names: the form of the names: `path` (source host dropped), `last` (the last segment in its rule's project, or
            in `library` when there are no rules) or `both`. None: `last` for images with a rule, `path` for others.
        only: globs, one of which has to match a name of an image; it is pushed under all its names. () for all.
        platform: push the manifest for this platform alone, instead of the whole image.
    """

    projects: tuple[ProjectRule, ...] = ()
    names: Names | None = None
    only: tuple[str, ...] = ()
    platform: Platform | None = None


@dataclass(frozen=True, slots=True, order=True)
class PushTarget:
    """A name to push to; `tag` is "" for an image that has only a digest."""

    repository: str
    tag: str

    @property
    def project(self) -> str:
        """The first segment, which is a project of Harbor."""
        return self.repository.partition("/")[0]


@dataclass(frozen=True, slots=True)
class PlannedPush:
    """One name to push.

    Arguments:
        source: the image's name in the bundle.
        image: the image in the bundle.
        document: what the name will stand for: the image's top document, or one platform's manifest.
        whole: whether that is everything that the bundle has of the image.
    """

    source: Reference
    image: BundleImage
    target: PushTarget
    document: IndexedFile
    whole: bool

    @property
    def digest(self) -> Digest:
        """The digest that the name has to have afterwards."""
        return self.document.blob.digest

    @property
    def name(self) -> str:
        """`project/repository:tag`, or `project/repository@digest`."""
        target = self.target
        return f"{target.repository}:{target.tag}" if target.tag else f"{target.repository}@{self.digest}"

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms whose manifests are pushed."""
        return self.document.platforms

    @property
    def files(self) -> tuple[IndexedFile, ...]:
        """Every blob that may have to be sent, `document` among them; those of other platforms left out."""
        # a pruned index has its upstream's own beside it, which is not pushed
        left_out = INDEX_TYPES if self.whole else DOCUMENT_TYPES
        rest = (file for file in self.image.files if file is not self.document and media_type(file) not in left_out)
        return (self.document, *(file for file in rest if self.whole or self._is_for_it(file)))

    def _is_for_it(self, file: IndexedFile) -> bool:
        return any(own.matches(wanted) for own in file.platforms for wanted in self.platforms)


@dataclass(frozen=True, slots=True)
class PushPlan:
    """Every name to push, in the order of targets, none twice."""

    pushes: tuple[PlannedPush, ...]

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects that have to exist, sorted."""
        return tuple(sorted({push.target.project for push in self.pushes}))

    @property
    def harbor_problems(self) -> tuple[str, ...]:
        """A line for every target that Harbor cannot hold; other registries may."""
        checked = [(push, repository_problem(push.target.repository)) for push in self.pushes]
        return tuple(f"{push.source} -> {push.name}: {problem}" for push, problem in checked if problem)


def push_plan(images: Iterable[BundleImage], settings: PushSettings) -> PushPlan:
    """Decide which image gets which names.

    Raises PublishError: PUSH_NOTHING (nothing in the bundle matches, or has the platform), PUSH_NAME_CONFLICT (two
    images of different digests under one name; with every such name).
    """
    wanted = [image for image in images if _is_wanted(image, settings.only)]
    chosen = [(name, image) for image in wanted for name in image.names]
    if not chosen:
        matching = tr(" whose name matches {only}", only=tr(" or ").join(settings.only)) if settings.only else ""
        raise _nothing(
            tr("the bundle has no image{matching}", matching=matching), tr("Look at the names with `bundler inspect`.")
        )
    pushes: dict[PushTarget, list[PlannedPush]] = {}
    for name, image in sorted(chosen, key=lambda pair: str(pair[0])):
        document = _document(image, settings.platform)
        if document is None:
            continue
        for repository in dict.fromkeys(target_repositories(name, settings)):
            push = PlannedPush(name, image, PushTarget(repository, name.tag), document, whole=document is image.top)
            pushes.setdefault(push.target, []).append(push)
    if not pushes:
        raise _nothing(
            tr("no image is for {platform}", platform=settings.platform),
            tr("Leave --platform out to push what there is."),
        )
    _refuse_conflicts(pushes)
    unique = (push for _, of_one in sorted(pushes.items()) for push in {one.digest: one for one in of_one}.values())
    return PushPlan(tuple(unique))


def target_repositories(name: Reference, settings: PushSettings) -> tuple[str, ...]:
    """Return `project/repository` for each wanted form of an image's name."""
    rule = next((rule for rule in settings.projects if is_named_like(name, [rule.glob])), None)
    path = site_repository(name)
    last = f"{rule.project if rule else DEFAULT_PROJECT}/{name.path.rpartition('/')[2]}"
    has_last = rule is not None or not settings.projects
    if settings.names is None:
        return (last,) if rule else (path,)
    if settings.names == "path" or not has_last:
        return (path,)
    return (last,) if settings.names == "last" else (path, last)


def _is_wanted(image: BundleImage, only: Sequence[str]) -> bool:
    return not only or any(is_named_like(name, only) for name in image.names)


def _document(image: BundleImage, platform: Platform | None) -> IndexedFile | None:
    if platform is None:
        return image.top
    if not image.is_index:
        return image.top if any(own.matches(platform) for own in image.top.platforms) else None
    return image.manifest_for([platform])


def _refuse_conflicts(pushes: dict[PushTarget, list[PlannedPush]]) -> None:
    conflicts = [
        tr("{repository}:{tag} would be ", repository=of_one[0].target.repository, tag=of_one[0].target.tag)
        + tr(" and ").join(f"{push.source} ({push.digest})" for push in _one_per_digest(of_one))
        for target, of_one in sorted(pushes.items())
        if target.tag and len(_one_per_digest(of_one)) > 1
    ]
    if conflicts:
        raise PublishError(
            ErrorId.PUSH_NAME_CONFLICT,
            tr("{count} names would stand for several images; nothing was sent", count=len(conflicts)),
            remedy=tr("Leave some out with --only, or part them with --project GLOB=PROJECT or --names path."),
            problems=conflicts,
        )


def _one_per_digest(pushes: Sequence[PlannedPush]) -> list[PlannedPush]:
    return list({push.digest: push for push in pushes}.values())


def _nothing(what: str, remedy: str) -> PublishError:
    return PublishError(ErrorId.PUSH_NOTHING, what, remedy=remedy)
