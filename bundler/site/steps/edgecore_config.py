"""edgecore.yaml by key path: the streams, the service bus, the meta server, the sandbox image; then a start with it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.file_changes import EditFile
from bundler.host.foreseen_files import Foreseen
from bundler.site.edits.kubeedge_yaml import edge_values, value_lines, with_values
from bundler.site.kubeedge.core_programs import StartUnit, started_with
from bundler.site.kubeedge_places import EDGECORE, EDGECORE_UNIT, EDGECORE_YAML, UNITS
from bundler.site.step import Step, StepContext
from bundler.site.steps.keadm_join import engine_driver
from bundler.site.steps.pause_image import pause_image
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

_NOTE = started_with("edge", EDGECORE_UNIT)
_READS = (f"{UNITS}/{EDGECORE_UNIT}", EDGECORE, EDGECORE_YAML)
_PRIVATE = 0o600


class EdgecoreConfig(Step):
    """The guide changes lines 37 and 103."""

    name = "edgecore-config"
    title = tr("edgecore's settings")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One edit, which shows no line of the file, for the token stands in it; then a restart where it changed."""
        values = edge_values(at.config, pause_image(at.config), engine_driver(at.host))
        edit = partial(with_values, values=values, maker="keadm-join")
        start = StartUnit(EDGECORE_UNIT, _READS, _NOTE)
        return (
            EditFile(EDGECORE_YAML, edit, value_lines(values), mode=_PRIVATE, secret=True),
            Foreseen(_NOTE, start.is_done),
            start,
        )
