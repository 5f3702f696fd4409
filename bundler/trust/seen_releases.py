"""The newest release of each bundle that was brought in, and whether another one would be a step back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import ID_CHARACTERS
from bundler.model.json_value import Json, dump_pretty, load_strict, want_text
from bundler.model.release_order import is_older
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

SEEN_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SeenBundle:
    """A bundle that was brought in: its release and its id in full."""

    release: str
    bundle: str


@dataclass(frozen=True, slots=True)
class SeenReleases:
    """By the bundles' names, the newest one that was brought in."""

    newest: Mapping[str, SeenBundle] = field(default_factory=dict)

    def is_new(self, name: str, release: str) -> bool:
        """Tell whether nothing as new was brought in so far."""
        seen = self.newest.get(name)
        return seen is None or is_older(seen.release, release)

    def with_bundle(self, name: str, bundle: SeenBundle) -> SeenReleases:
        """Return the same with a further bundle, which is not older than the one that was seen."""
        return replace(self, newest={**self.newest, name: bundle})

    def require_not_older(self, name: str, release: str, where: str) -> None:
        """Raise IntegrityError (BUNDLE_OLDER) for a release that is older than the newest one of its name.

        Arguments:
            where: the bundle, for messages.
        """
        seen = self.newest.get(name)
        if seen is None or not is_older(release, seen.release):
            return
        raise IntegrityError(
            ErrorId.BUNDLE_OLDER,
            tr("is an older release of {name} than this host has had", name=name),
            where=where,
            remedy=tr(
                "Bring a newer one. To go back to a bundle that is still here use `bundler activate`; to bring this "
                "one in all the same add --allow-older."
            ),
            want=tr("{release} (bundle {bundle}) or newer", release=seen.release, bundle=seen.bundle[:ID_CHARACTERS]),
            got=release or tr("no release"),
        )


def encode_seen(seen: SeenReleases) -> bytes:
    """Return the content of seen.json."""
    newest: dict[str, Json] = {
        name: {"release": bundle.release, "bundle": bundle.bundle} for name, bundle in seen.newest.items()
    }
    return dump_pretty({"format": SEEN_FORMAT, "newest": newest})


def decode_seen(data: bytes) -> SeenReleases:
    """Read seen.json. Raises ValueError, KeyError, TypeError, AttributeError for anything else."""
    value = load_strict(data)
    if value["format"] != SEEN_FORMAT:
        raise ValueError(
            tr("format {value!r} is another one than {seen_format}", value=value["format"], seen_format=SEEN_FORMAT)
        )
    return SeenReleases(
        {
            name: SeenBundle(want_text(bundle["release"]), want_text(bundle["bundle"]))
            for name, bundle in value["newest"].items()
        }
    )
