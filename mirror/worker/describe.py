"""What is served, in a few lines for whoever started the mirror. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

MAX_FAULTS_SHOWN = 20
MAX_WARNINGS_SHOWN = 20


def describe(site: Site) -> str:
    """Return one line for each bundle and each share, and one for everything that is not as it should be."""
    lines = [_bundle_line(bundle, current=bundle is site.current) for bundle in site.bundles]
    if site.bundles and site.current is None:
        lines.append(tr("no bundle is current: each is served below its own /@DIR/ only (make a link named `current`)"))
    lines += [tr("/{path} is served as it is, not verified", path=share.path) for share in site.shares]
    lines += [*site.problems, *image_warnings(site.warnings)]
    for bundle in site.bundles:
        shown = [f"  {fault.what}: {fault.path}" for fault in bundle.faults[:MAX_FAULTS_SHOWN]]
        more = len(bundle.faults) - len(shown)
        lines += shown + ([tr("  and {more} more", more=more)] if more else [])
    if not site.bundles and not site.shares:
        lines.insert(0, tr("nothing is served: there is no bundle; unpack one"))
    return "\n".join(lines)


def image_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the lines about names of images, which can be many when a bundle is replaced by the next."""
    more = len(warnings) - MAX_WARNINGS_SHOWN
    return [
        *warnings[:MAX_WARNINGS_SHOWN],
        *([tr("and {more} more names that mean several images", more=more)] if more > 0 else []),
    ]


def _bundle_line(bundle: ServedBundle, *, current: bool) -> str:
    places = [f"/{bundle.address}/"] if bundle.directory or not current else []
    where = tr(" at ") + tr(" and at ").join([*places, *(["/"] if current else [])])
    size = human_bytes(bundle.content_bytes)
    state = {True: tr("every digest verified"), False: tr("DAMAGED"), None: tr("sizes checked")}[bundle.verified]
    if bundle.faults:
        state = tr("NOT COMPLETE: {count} files are not as listed and are not served", count=len(bundle.faults))
    part = tr(", a part of it ({left_out} files are left out)", left_out=bundle.left_out) if bundle.left_out else ""
    return tr(
        "{title}, bundle {short_id}{where}: {file_count} files, {size}{part}, {state}",
        title=bundle.title,
        short_id=bundle.short_id,
        where=where,
        file_count=bundle.file_count,
        size=size,
        part=part,
        state=state,
    )
