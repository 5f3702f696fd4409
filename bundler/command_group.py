"""A program's commands as Click has them: listed by use, loaded when wanted, each with the options of all.

Owns which commands there are and what is said of one that is not; refuses to know what any of them does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from bundler import __version__
from bundler.diagnostics import DIAGNOSTICS
from bundler.output_options import accepting_output_options, output_options
from bundler.spoken_commands import speak
from bundler.translation import tr
from bundler.unknown_command import unknown_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem


class ByUse(click.Group):
    """A group that lists its commands in the order in which an operator needs them.

    Arguments:
        home: the package of the commands, with one module of the same name for each: `push-images` is the function
            `push_images` of the module `push_images`. Only the requested one is loaded: otherwise every command would
            start as slowly as all of them together. Commands that were added explicitly come after those.
        order: their names.
        program: what the group is called where it is a whole program, which then has `output_options`.
    """

    def __init__(
        self, *args: Any, home: str = "", order: Sequence[str] = (), program: str = "", **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self._home = home
        self._order = tuple(order)
        self.program = program
        if program:
            self.params = [*self.params, *output_options(program)]
        speak(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, unsorted."""
        del ctx
        return [*self._order, *(name for name in self.commands if name not in self._order)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded now if it was not before; None when there is none of that name."""
        if cmd_name in self._order and cmd_name not in self.commands:
            own_name = cmd_name.replace("-", "_")
            self.add_command(getattr(import_module(f"{self._home}.{own_name}"), own_name))
        command = super().get_command(ctx, cmd_name)
        if isinstance(command, ByUse):
            command.program = self.program
        if command is not None:
            speak(command)
        return None if command is None else accepting_output_options(command, self.program)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command with its name and arguments; click.UsageError, with the likely ones, when there is none."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            raise unknown_command(ctx, name)
        DIAGNOSTICS.title = tr(
            "{command_path} {name}, version {version}", command_path=ctx.command_path, name=name, version=__version__
        )
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return what may follow; unlike Click's own, without loading every command for its help text."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
