"""Reads one item of `images:` into an `ImageEntry`. Owns its keys, and what holds between entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.images.entry import ImageEntry
from bundler.manifest.fields import Fields
from bundler.model.image.site_name import harbor_problem, site_name
from bundler.model.reference import Reference
from bundler.model.source_text import Pairs, Scalar
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

KEYS = ("name", "as", "platforms", "roles")


def read_image_entry(node: Node, scope: Scope) -> ImageEntry | None:
    """Read a reference or a mapping; report every problem to the scope, return None when there is any error."""
    if isinstance(node, Scalar):
        node = Pairs(((Scalar("name", "name", node.position), node),), node.position)
    fields = Fields(node, scope, known=KEYS, what=tr("an images entry"))
    written = fields.text("name", required=True)
    reference = _reference(written, scope)
    names = tuple(name for item in fields.texts("as") if (name := _further_name(item, reference, scope)))
    platforms = fields.platforms("platforms")
    roles = fields.roles("roles")
    if written is None or reference is None or not fields.ok:
        return None
    return ImageEntry(written.text, node.position, reference, names, platforms, roles)


def check_image_entries(entries: Sequence[ImageEntry], scope: Scope) -> None:
    """Report images listed twice, and warn of different ones that meet under one site name."""
    references: dict[Reference, ImageEntry] = {}
    names: dict[str, tuple[Reference, ImageEntry]] = {}
    for entry in entries:
        first = references.setdefault(entry.reference, entry)
        if first is not entry:
            scope.problems.error(
                entry.position,
                tr(
                    "{reference} is listed already at {position}; one entry may have several platforms",
                    reference=entry.reference,
                    position=first.position,
                ),
            )
            continue
        for name in (entry.reference, *entry.also_known_as):
            wanted = site_name(name)
            other, owner = names.setdefault(wanted, (name, entry))
            if owner is not entry:
                scope.problems.warn(
                    entry.position,
                    tr(
                        "{name} and {other} ({position}) are both {wanted} on the site, "
                        "which only works when they are the same image",
                        name=name,
                        other=other,
                        position=owner.position,
                        wanted=wanted,
                    ),
                )


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
        scope.problems.error(written.position, tr("{text}: images are known by their sha256", text=text))
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
        scope.problems.error(
            written.position, tr("'as': {name} has to be a name with a tag and without a digest", name=name)
        )
        return None
    if reference is not None and name.tagged == reference.tagged:
        scope.problems.error(written.position, tr("'as': {name} is the name of the image itself", name=name))
        return None
    return name
