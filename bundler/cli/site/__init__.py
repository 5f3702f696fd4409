"""`bundler site`: the guide's steps on the hosts of a site; one file per subcommand."""

from __future__ import annotations

import click

from bundler.command_group import ByUse

ORDER = ("init", "check-config", "plan", "apply", "check", "undo", "token", "invite", "join", "ca", "fleet", "doctor")


@click.group(cls=ByUse, home=__name__, order=ORDER)
def site() -> None:
    """Set up the hosts of a site: preview, apply, check and undo every step.

    On the master: `bundler site apply cloud`. Both roles read site.yaml, which describes all hosts. An edge is
    brought in by one line, which `bundler site invite` on the master prints.
    """
