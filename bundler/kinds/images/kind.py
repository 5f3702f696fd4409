"""Container images: entries of `images:` in the manifest, pinned with all their platforms, laid out as `k8simage/`.

Owns reading the entries and what holds between them. Pinning is `bundler.kinds.images.locking`, getting the bytes
`bundler.kinds.images.fetching`, the directory's own bytes `bundler.model.image.layout`. Design sections 3, 4, 6 and 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.kinds.images.fetching import ImageFetch, fetch_image_part, image_fetches, narrow_image
from bundler.kinds.images.locking import ImageWish, pin_image
from bundler.kinds.images.scripts import travelling_scripts
from bundler.manifest.fields import Fields
from bundler.model.image.artifact import ImageArtifact, site_name_conflicts
from bundler.model.image.layout import layout_placements
from bundler.model.image.reference import Reference
from bundler.model.image.site_name import harbor_problem, site_name
from bundler.model.manifest import ROLES
from bundler.model.source_text import Pairs, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.bundle_path import BundlePath
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Position

KEYS = ("name", "as", "platforms", "roles")


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One wanted image.

    Arguments:
        id: the reference as written.
        reference: the reference in full, variables expanded.
        also_known_as: further names on the site, each with a tag and no digest.
        platforms: at least one.
    """

    id: str
    position: Position
    reference: Reference
    also_known_as: tuple[Reference, ...]
    platforms: tuple[Platform, ...]
    roles: tuple[str, ...]

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            "reference": str(self.reference),
            "as": [str(name) for name in self.also_known_as],
            "platforms": [str(platform) for platform in self.platforms],
            "roles": list(self.roles),
        }

    def targets(self) -> tuple[BundlePath, ...]:
        """Return nothing: images lay out a directory of their own."""
        return ()


class ImagesKind:
    """The kind `images`."""

    @property
    def name(self) -> str:
        """The key in the manifest."""
        return "images"

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema of one item: a reference, or a mapping."""
        words: Json = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
        roles: Json = {"type": "array", "items": {"enum": list(ROLES)}, "minItems": 1, "uniqueItems": True}
        name: Json = {"type": "string", "minLength": 1, "description": "name:tag, name@sha256:… or name:tag@sha256:…"}
        return {
            "oneOf": [
                name,
                {
                    "type": "object",
                    "properties": {"name": name, "as": words, "platforms": words, "roles": roles},
                    "patternProperties": {"^x-": True},
                    "required": ["name"],
                    "additionalProperties": False,
                },
            ]
        }

    def read(self, node: Node, scope: Scope) -> ImageEntry | None:
        """Read a reference or a mapping; see `EntryReader`."""
        if isinstance(node, Scalar):
            node = Pairs(((Scalar("name", "name", node.position), node),), node.position)
        fields = Fields(node, scope, known=KEYS, what="an images entry")
        written = fields.text("name", required=True)
        reference = _reference(written, scope)
        names = tuple(name for item in fields.texts("as") if (name := _further_name(item, reference, scope)))
        platforms = fields.platforms("platforms")
        roles = fields.roles("roles")
        if written is None or reference is None or not fields.ok:
            return None
        return ImageEntry(written.text, node.position, reference, names, platforms, roles)

    def check(self, entries: Sequence[ImageEntry], scope: Scope) -> None:
        """Report images listed twice, and warn of different ones that meet under one site name."""
        references: dict[Reference, ImageEntry] = {}
        names: dict[str, tuple[Reference, ImageEntry]] = {}
        for entry in entries:
            first = references.setdefault(entry.reference, entry)
            if first is not entry:
                scope.problems.error(
                    entry.position,
                    f"{entry.reference} is listed already at {first.position}; one entry may have several platforms",
                )
                continue
            for name in (entry.reference, *entry.also_known_as):
                wanted = site_name(name)
                other, owner = names.setdefault(wanted, (name, entry))
                if owner is not entry:
                    scope.problems.warn(
                        entry.position,
                        f"{name} and {other} ({owner.position}) are both {wanted} on the site, "
                        f"which only works when they are the same image",
                    )

    def estimate(self, entry: ImageEntry, sources: Sources, task: Task) -> Estimate:
        """Pin the image, which moves only documents, and return what is left to move."""
        artifacts = self.lock(entry, sources, task)
        return Estimate(self.fetches(artifacts), artifacts=artifacts)

    def lock(
        self,
        entry: ImageEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[ImageArtifact] = (),
        moved: Sequence[ImageArtifact] = (),
    ) -> tuple[ImageArtifact, ...]:
        """Pin the image; see `pin_image` for what is raised. It is one thing: no earlier pin of it is kept."""
        del kept, moved
        wish = ImageWish(entry.reference, entry.also_known_as, entry.platforms, entry.roles, str(entry.position))
        return (pin_image(wish, sources, task),)

    def decode(self, value: Any) -> ImageArtifact:
        """Read one artifact from the lock."""
        return ImageArtifact.decode(value)

    def narrow(self, artifact: ImageArtifact, platforms: Sequence[Platform], sources: Sources) -> ImageArtifact | None:
        """Return what is left of the image for these platforms."""
        return narrow_image(artifact, platforms, sources)

    def fetches(self, artifacts: Sequence[ImageArtifact]) -> tuple[Fetch, ...]:
        """Return what brings the images into the store, blob by blob."""
        return image_fetches(artifacts)

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring one blob, or one document with what is made from it, into the store."""
        if not isinstance(fetch.detail, ImageFetch):
            raise TypeError(f"{fetch.label} is no fetch of images")
        fetch_image_part(fetch.detail, sources, task)

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return the directory `k8simage/`; ManifestError when different images claim one site name."""
        del sources
        artifacts = [
            artifact for entry in entries for artifact in entry.artifacts if isinstance(artifact, ImageArtifact)
        ]
        if problems := site_name_conflicts(artifacts):
            raise ManifestError(
                ErrorId.SITE_NAME_CONFLICT,
                "different images have one name on the site",
                remedy="Leave all but one of them out, or pin them to one digest.",
                problems=problems,
            )
        if not artifacts:
            return ()
        return layout_placements(artifacts, platforms, travelling_scripts(), kind=self.name)


def _reference(written: Scalar | None, scope: Scope) -> Reference | None:
    """Return the reference that a string stands for; otherwise report it and return None."""
    if written is None:
        return None
    problems_before = len(scope.problems.errors)
    text = scope.expand(written)
    if len(scope.problems.errors) > problems_before:
        return None
    try:
        reference = Reference.parse(text)
    except ValueError as error:
        scope.problems.error(written.position, str(error))
        return None
    if reference.digest is not None and reference.digest.algorithm != "sha256":
        scope.problems.error(written.position, f"{text}: images are known by their sha256")
        return None
    if problem := harbor_problem(reference):
        scope.problems.error(written.position, f"{text}: {problem}")
        return None
    return reference


def _further_name(written: Scalar, reference: Reference | None, scope: Scope) -> Reference | None:
    name = _reference(written, scope)
    if name is None:
        return None
    if not name.tag or name.digest is not None:
        scope.problems.error(written.position, f"'as': {name} has to be a name with a tag and without a digest")
        return None
    if reference is not None and name.tagged == reference.tagged:
        scope.problems.error(written.position, f"'as': {name} is the name of the image itself")
        return None
    return name
