"""Commands whose help pages are in the language of this process.

Click measures and breaks lines by characters and at spaces; Chinese has characters of two columns and no spaces. Pages
without such characters are left to Click.
"""

from __future__ import annotations

import inspect
from gettext import gettext
from typing import TYPE_CHECKING

import click

from bundler.columns import is_wide, padded, width, wrapped
from bundler.translation import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MIN_COLUMNS = 20


class _HelpFormatter(click.HelpFormatter):
    """Click's, by columns."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        usage = prefix or gettext("Usage:")
        if not is_wide(usage):
            super().write_usage(prog, args, prefix)
            return
        begin = f"{usage}{prog} "
        self._write_lines(begin, wrapped(args, self.width - width(begin)))

    def write_heading(self, heading: str) -> None:
        """Write the title of a section."""
        self.write(f"{heading}：\n" if is_wide(heading) else f"{heading}:\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        if not is_wide(text):
            super().write_text(text)
            return
        indent = " " * self.current_indent
        pages = [_lines(part, self.width - len(indent)) for part in text.split("\n\n")]
        self.write("\n\n".join("\n".join(f"{indent}{line}" for line in lines) for lines in pages) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms and what they mean."""
        known = list(rows)
        if not any(is_wide(text) for row in known for text in row):
            super().write_dl(known, col_max, col_spacing)
            return
        column = min(max(width(term) for term, _ in known), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, meaning in known:
            lines = wrapped(" ".join(meaning.split()), max(self.width - column - len(indent), _MIN_COLUMNS))
            begin = f"{indent}{padded(term, column)}"
            if width(term) > column - col_spacing:
                self.write(f"{indent}{term}\n")
                begin = " " * (column + len(indent))
            self._write_lines(begin, lines)

    def _write_lines(self, begin: str, lines: Sequence[str]) -> None:
        indent = " " * width(begin)
        for number, line in enumerate(lines):
            self.write(f"{indent if number else begin}{line}".rstrip() + "\n")


def _lines(paragraph: str, columns: int) -> list[str]:
    """Return a paragraph in lines; one after a backspace stands as it is (Click, "Preventing rewrapping")."""
    mark, _, rest = paragraph.partition("\n")
    return rest.split("\n") if mark.strip(" ") == "\b" else wrapped(" ".join(paragraph.split()), columns)


class _HelpContext(click.Context):
    formatter_class = _HelpFormatter


def speak(command: click.Command) -> None:
    """Give a command the texts of its docstring in the language of this process, and pages by columns."""
    command.context_class = _HelpContext
    text = translated(inspect.cleandoc(command.help or ""))
    if is_wide(text):
        command.help = text
        command.short_help = text.partition("\n")[0].partition("。")[0]
