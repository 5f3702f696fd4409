"""Write all pages into a directory: `scripts/man-pages DIRECTORY`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler import __version__
from bundler.cli import bundler
from mirror.cli import mirror
from scripts.man_pages.page import Edition, man_page, page_name

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SECTION = 1
_EXIT_CODE = re.compile(r"^\| (\d+(?:, \d+)*) \| (.+) \|$", re.MULTILINE)
_RELEASE = re.compile(r"^## (?P<version>\S+) \((?P<date>\d{4}-\d\d-\d\d)\)$", re.MULTILINE)
NO_DATE = "1970-01-01"


def edition() -> Edition:
    """Return what the README says of exit codes, and the change log of this release's date."""
    codes = _EXIT_CODE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    dates = {found["version"]: found["date"] for found in _RELEASE.finditer(changes)}
    # what is not released has no date of its own; readers of man(7) want one, and a clock's would differ each time
    return Edition(__version__, dates.get(__version__, NO_DATE), codes)


def pages() -> dict[str, str]:
    """Return the file name and the text of every page."""
    made = edition()
    # Click keeps the help option that it makes for the first context: these settings name it
    programs = (click.Context(each, info_name=each.name, **each.context_settings) for each in (bundler, mirror))
    return {f"{name}.{SECTION}": text for program in programs for name, text in _below(program, made)}


def _below(context: click.Context, made: Edition) -> Iterator[tuple[str, str]]:
    command = context.command
    names = command.list_commands(context) if isinstance(command, click.Group) else []
    yield page_name(context.command_path.split()), man_page(context, names, made)
    for name in names:
        child = command.get_command(context, name) if isinstance(command, click.Group) else None
        if child is not None:
            yield from _below(click.Context(child, parent=context, info_name=name), made)


def main(arguments: list[str]) -> None:
    """Write the pages; another one of ours that is there from an earlier release is left alone."""
    if len(arguments) != 1:
        sys.exit("usage: scripts/man-pages DIRECTORY")
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} man pages in {directory}")


if __name__ == "__main__":
    main(sys.argv[1:])
