"""`bundler site undo`: take back what applying has made on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.site.site_options import force_option, on_a_host
from bundler.site.applying import undo_site
from bundler.site.roles import undone_steps
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.cli.site.site_options import SiteRun
    from bundler.model.json_value import Json


@click.command()
@on_a_host
@force_option
def undo(run: SiteRun, force: bool, as_json: bool) -> None:
    """Restore every file that was changed, last step first, and say what cannot be undone.

    A file that somebody else changed since stays as it is, unless --force says otherwise; what was there before is
    kept.
    """
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        console.remark(line)

    made = undo_site(run.at.host, run.role, undone_steps(run.role, run.steps), say, force=force)
    value: dict[str, Json] = {"role": run.role, "host": run.at.this.name, "undone": made, "lines": list(lines)}
    text = tr("undone") if made else tr("nothing was made here")
    console.answer(text, value, schema="bundler.site-undo/1", as_json=as_json)
