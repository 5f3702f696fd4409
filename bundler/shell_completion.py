"""Completion with Tab in bash, zsh and fish: Click's own engine, with a script that works wherever it is evaluated.

Owns the script and how a file is completed; what else completes follows from the commands themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
# bash 4.2, which CentOS 7 has, knows no order of completions, and refuses to complete at all when it is asked for one
_UNSORTED, _SORTED = "complete -o nosort", "complete"
# a zsh without a configuration of its own has not loaded its completion
_LOADED = "(( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }"


def completion_script(program: click.Context, shell: str) -> str:
    """Return what a shell evaluates to complete a program's commands, options, choices and files.

    Arguments:
        program: the context of the program.
        shell: one of `SHELLS`.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"Click knows no shell {shell!r}")
    name = program.command_path
    complete = kind(program.command, {}, name, f"_{name.upper()}_COMPLETE")
    # bash's own method would start a bash to learn its version
    lines = ShellComplete.source(complete).strip("\n").split("\n")
    if shell == "zsh":
        lines.insert(1, _LOADED)
    return "\n".join(map(_with_older_bash, lines))


def _with_older_bash(line: str) -> str:
    if _UNSORTED not in line:
        return line
    plain = line.rstrip(";")
    return f"{plain} 2>/dev/null || {plain.strip().replace(_UNSORTED, _SORTED)}"


def complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete the name of a file, where a value may be something else as well."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]
