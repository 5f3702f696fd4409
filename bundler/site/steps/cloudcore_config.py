"""cloudcore.yaml by key path: the streams, the router, the dynamic controller, the addresses that edges reach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.file_changes import EditFile
from bundler.site.edits.kubeedge_yaml import cloud_values, value_lines, with_values
from bundler.site.kubeedge_places import CLOUDCORE_YAML
from bundler.site.step import Step, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change


class CloudcoreConfig(Step):
    """The guide changes lines 44 and 103; the latter is another key, which is true already."""

    name = "cloudcore-config"
    title = tr("cloudcore's settings")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One edit; what it does not name stays as it is."""
        values = cloud_values(at.config)
        edit = partial(with_values, values=values, maker="keadm-init")
        return (EditFile(CLOUDCORE_YAML, edit, value_lines(values)),)
