"""Whether a bundle can be trusted at the moment, for the page to say in plain words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mirror.tree.comparison import Comparison
    from mirror.tree.served_bundle import ServedBundle

MAX_SHOWN_FAULTS = 8
Verified = Literal["yes", "no", "not-asked"]


@dataclass(frozen=True, slots=True)
class BundleTrust:
    """The state of one bundle.

    Arguments:
        faults: its listed files that are refused at the moment, sorted.
        verified: whether all digests were compared and match: `yes`, `no`, or `not-asked`.
        compared_s: when they were compared while the bundle was served, in seconds since the epoch; 0 if they were not.
    """

    faults: tuple[str, ...]
    verified: Verified
    compared_s: int = 0

    @property
    def complete(self) -> bool:
        """Whether every listed file can be had."""
        return not self.faults

    @property
    def shown_faults(self) -> tuple[str, ...]:
        """As many of the faults as a page names."""
        return self.faults[:MAX_SHOWN_FAULTS]


def trust_of(bundle: ServedBundle, faults: Iterable[str], comparison: Comparison | None = None) -> BundleTrust:
    """Return the state of a bundle.

    Arguments:
        comparison: how far the one is that was asked for since it was loaded; what it found wrong is among the faults.
        faults: of all bundles, each `SHORT-ID/path`; a file that was put right since the start is no longer among them.
    """
    below = f"{bundle.short_id}/"
    refused = {fault.removeprefix(below) for fault in faults if fault.startswith(below)}
    # what was wrong when the bundle was loaded is so until its file has an identity
    loaded = (bundle.file_at(fault.path) for fault in bundle.faults)
    refused |= {file.path for file in loaded if file is not None and file.identity is None}
    own = tuple(sorted(refused))
    is_compared = comparison is not None and comparison.is_over
    if bundle.verified is None and not is_compared:
        return BundleTrust(own, "not-asked")
    return BundleTrust(own, "no" if own else "yes", comparison.ended_s if comparison and is_compared else 0)
