"""`bundler site invite`: wait on the master for an edge that shows a code."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.site.invite_options import MAX_MINUTES, port_option
from bundler.cli.site.site_options import config_option, context_of, load_site
from bundler.host.apply import require_root
from bundler.host.local_host import LocalHost
from bundler.site.fleet.playbook import hand_over_script
from bundler.site.installer import site_installer
from bundler.site.invitation.inviting import edge_line, invited, require_edges, require_used
from bundler.site.invitation.listener import Reception, opened_port, receive_edges
from bundler.site.invitation.offering import join_answer, offering_lacks
from bundler.site.invitation.use_log import UseLog
from bundler.site.join_token import fresh_token
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bundler.host.interface import Host
    from bundler.model.json_value import Json
    from bundler.site.invitation.inviting import Invited
    from bundler.site.step import StepContext

_MINUTE_S = 60
_SCRIPT = 0o600


@click.command()
@option(
    "--host",
    "hosts",
    variable="BUNDLER_SITE_INVITE_HOST",
    required=True,
    multiple=True,
    metavar="NAME",
    help=tr("An edge host of the site (repeatable)."),
)
@option(
    "--minutes",
    variable="BUNDLER_SITE_INVITE_MINUTES",
    type=click.IntRange(1, MAX_MINUTES),
    default=15,
    show_default=True,
    help=tr("How long the codes count."),
)
@port_option
@option(
    "--address",
    variable="BUNDLER_SITE_INVITE_ADDRESS",
    default="",
    metavar="ADDRESS",
    help=tr("Listen on this address of the master alone."),
    show_default=tr("all of them"),
)
@option(
    "--codes",
    variable="BUNDLER_SITE_INVITE_CODES",
    type=FILE,
    metavar="DIR",
    help=tr("Write each code into DIR/NAME.sh, for the playbook of `bundler site fleet --write`; gone at the end."),
)
@config_option
@json_option
def invite(
    hosts: tuple[str, ...],
    minutes: int,
    port: int,
    address: str,
    codes: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Print the line for an edge and a code, and listen until an edge has shown the code or its time is over.

    The code counts once, for that host; five wrong ones end it. What the edge gets for it is a token that is made at
    that moment, site.yaml without what only the master needs, and the registry's authority.
    """
    at = context_of(load_site(config), "cloud", None, LocalHost())
    require_root(at.host, site_installer("cloud"))
    names = list(dict.fromkeys(hosts))
    require_edges(at.config, names)
    warn_of_what_edges_lack(at)
    with opened_port(address, port) as listening:
        made = invited(names, at.host.elapsed() + minutes * _MINUTE_S)
        value: dict[str, Json] = {"port": port, "minutes": minutes, "invitations": _values(at, made, port)}
        with codes_kept(at.host, made, codes):
            console.answer(_lines(at, made, minutes, port), value, schema="bundler.site-invite/1", as_json=as_json)
            require_used(receive_edges(reception(at, made, port), listening))


def warn_of_what_edges_lack(at: StepContext) -> None:
    """Say what edges will want and this host does not have yet."""
    for line in offering_lacks(at.host, at.config):
        console.warn(line)


def reception(at: StepContext, made: Invited, port: int) -> Reception:
    """Return what a listener on the master works with."""

    def token() -> str:
        return fresh_token(at.host, at.config.kubeedge.kubeconfig).text

    return Reception(
        host=at.host,
        certificate=made.certificate,
        book=made.book,
        gives=lambda edge: join_answer(at.host, at.config, edge=edge, bundle=at.bundle.id, token=token),
        bundle=at.bundle.id,
        log=UseLog(at.host, port),
        say=console.remark,
    )


@contextmanager
def codes_kept(host: Host, made: Invited, directory: Path | None) -> Iterator[None]:
    """Keep the codes' scripts in a directory as long as the codes may count; without one, nothing."""
    files = {} if directory is None else {str(directory.absolute() / f"{name}.sh"): name for name in made.codes}
    try:
        for file, name in files.items():
            host.write(file, hand_over_script(made.codes[name].text), _SCRIPT)
        yield
    finally:
        for file in files:
            host.remove(file)


def _lines(at: StepContext, made: Invited, minutes: int, port: int) -> Iterator[str]:
    for host, code in made.codes.items():
        yield from (tr("On {host}, as root:", host=host), "", f"    {edge_line(at.config, host, port)}", "")
        yield from (
            tr("and, when it asks, this code; it counts once, for {minutes} minutes:", minutes=minutes),
            "",
            f"    {code.text}",
            "",
        )


def _values(at: StepContext, made: Invited, port: int) -> Sequence[Json]:
    return [
        {"host": host, "line": edge_line(at.config, host, port), "code": code.text} for host, code in made.codes.items()
    ]
