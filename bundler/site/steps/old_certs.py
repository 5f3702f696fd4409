"""Certificates of an earlier join out of edgecore's sight: with them any token "works", and trust breaks silently."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError
from bundler.host.foreseen_files import SetAside
from bundler.site.installer import has_made
from bundler.site.join_token import token_source
from bundler.site.kubeedge.core_programs import StopUnit
from bundler.site.kubeedge.edge_join import authority_digest, certificates_lack
from bundler.site.kubeedge.unit_before import StartAtRemoval
from bundler.site.kubeedge_places import EDGE_CA, EDGE_CERT, EDGE_KEY, EDGECORE_UNIT, STREAM_CERT, STREAM_KEY
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

_FILES = (EDGE_CA, EDGE_CERT, EDGE_KEY)
# those that change what edgecore runs with, this one first
_STEPS = ("old-certs", "keadm-join", "edgecore-config")


class OldCerts(Step):
    """The guide copies the master's own, and so gives each edge the key of its streams."""

    name = "old-certs"
    title = tr("certificates of an earlier join, set aside")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Note what is the master's and lies here."""
        return [
            StepFinding(
                "master-s-files-here",
                tr("is the master's, as the guide copies it; whoever has this edge can read it"),
                path,
                tr(
                    "Remove it here. If this edge may have been in other hands, make a new one: "
                    "remove stream.crt on the "
                    "master and run `bundler site apply cloud --from stream-certs` there."
                ),
                weight="note",
            )
            for path in (STREAM_KEY, STREAM_CERT)
            if at.host.exists(path)
        ]

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Nothing where they are of this very join."""
        stay = partial(_stay, at)
        there = [SetAside(path, stay) for path in _FILES]
        in_the_way = any(not change.is_done(at.host) for change in there)
        again = StartAtRemoval(EDGECORE_UNIT, has_made(at.host, "edge", *_STEPS))
        return (again, StopUnit(EDGECORE_UNIT, lambda _: not in_the_way), *there)


def _stay(at: StepContext, host: Host) -> bool:
    """Tell whether the certificates are those of this join, and of the authority that a given token names."""
    if certificates_lack(at):
        return False
    source = token_source(at.options)
    try:
        return source is None or source.token(host).authority == authority_digest(host)
    except ChangeFailedError:
        # the step that needs it says what is wrong with it
        return True
