"""Options that several commands share, each with its MIRROR_… variable."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler import console
from bundler.translation import tr
from mirror.settings import DEFAULT_ROOT

if TYPE_CHECKING:
    from mirror.settings import Network

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return `console.option` for a variable MIRROR_…."""
    return console.option("MIRROR", *names, **settings)


def networks(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks that an option names."""
    try:
        return tuple(ipaddress.ip_network(value, strict=False) for value in values)
    except ValueError as error:
        raise click.BadParameter(tr("{error}; write 198.51.100.0/24, or a single address", error=error)) from error


root_option = option(
    "--root",
    type=console.FILE,
    default=DEFAULT_ROOT,
    show_default=True,
    help=tr("The unpacked bundle, or the directory that holds several."),
)
json_option = option("--json", "as_json", is_flag=True, help=tr("Answer with a JSON object on stdout."))
