"""The guide's tools on edges, as far as the bundle's repository has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.packages import is_installed, offered, package_manager, packages
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change


class HostTools(Step):
    """The guide's `yum -y install bash-com vim wget lrzsz net-tools unzip`; its `bash-com` is no package's name."""

    name = "tools"
    title = tr("tools for whoever works on this host")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Note what cannot be had: nothing depends on it."""
        lacking = [
            name for name in at.config.docker.tools if name not in _wanted(at) and not is_installed(at.host, name)
        ]
        if not lacking:
            return ()
        what = tr("the bundle has no {lacking} for this host; the other steps do without", lacking=", ".join(lacking))
        return (StepFinding("tools-missing", what, at.bundle.root, weight="note"),)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Those that are there."""
        wanted = _wanted(at)
        return (packages(wanted),) if wanted else ()


def _wanted(at: StepContext) -> Sequence[str]:
    if not package_manager(at.host):
        return ()
    there = offered(at)
    return [name for name in at.config.docker.tools if name in there]
