"""What to say of a command that does not exist: which one was meant, in this group or elsewhere in the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 3


def unknown_command(ctx: click.Context, name: str) -> click.UsageError:
    """Return the usage error for a name that the context's group does not have."""
    found = [f"`{path}`" for path in _meant(ctx, name)]
    hint = "" if not found else tr(" Did you mean {found}?", found=tr(" or ").join(found))
    return click.UsageError(tr("No such command {name!r}.{hint}", name=name, hint=hint), ctx)


def _meant(ctx: click.Context, name: str) -> list[str]:
    """Return the whole commands that are near: begin so or are spelt nearly so here, or have the name elsewhere."""
    from difflib import get_close_matches  # takes time to load, and most commands exist

    here = _names(ctx.command, ctx)
    near = [known for known in here if known.startswith(name)] or get_close_matches(name, here, n=_MOST)
    if near:
        return [f"{ctx.command_path} {known}" for known in near[:_MOST]]
    root = ctx.find_root()
    return [path for path in _paths(root.command, root, root.command_path) if path.split()[-1] == name][:_MOST]


def _names(command: click.Command, ctx: click.Context) -> list[str]:
    return command.list_commands(ctx) if isinstance(command, click.Group) else []


def _paths(command: click.Command, ctx: click.Context, path: str) -> Iterator[str]:
    for name in _names(command, ctx):
        yield f"{path} {name}"
        child = command.get_command(ctx, name) if isinstance(command, click.Group) else None
        if child is not None:
            yield from _paths(child, ctx, f"{path} {name}")
