"""The commands `bundler` and `mirror` as trees, and the parsing of a whole command line without running it."""

from __future__ import annotations

import click

from bundler.cli import bundler
from mirror.cli import mirror

PROGRAMS: dict[str, click.Group] = {"bundler": bundler, "mirror": mirror}


def commands() -> dict[tuple[str, ...], click.Command]:
    """Return every command and group under its words, for example `("bundler", "store", "prune")`."""
    found: dict[tuple[str, ...], click.Command] = {}

    def walk(path: tuple[str, ...], command: click.Command) -> None:
        found[path] = command
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=path[-1])
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None, name
                walk((*path, name), child)

    for name, program in PROGRAMS.items():
        walk((name,), program)
    return found


def usage_problem(words: list[str]) -> str:
    """Return why a command line (`["bundler", "build", …]`) is a usage error, or ""."""
    name, rest = words[0], words[1:]
    command: click.Command = PROGRAMS[name]
    parent: click.Context | None = None
    try:
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            parent = click.Context(command, info_name=name, parent=parent, **command.context_settings)
            found = command.get_command(parent, rest[0])
            if found is None:
                return f"{name} has no command {rest[0]!r}"
            name, command, rest = rest[0], found, rest[1:]
        command.make_context(name, list(rest), parent=parent)
    except click.exceptions.Exit:
        return ""
    except click.UsageError as error:
        return error.format_message()
    return ""
