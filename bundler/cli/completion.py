"""`bundler completion`: the script with which a shell completes this program's command lines."""

from __future__ import annotations

import click

from bundler import console
from bundler.shell_completion import SHELLS, completion_script


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and files with Tab.

    A shell evaluates it at its start:

    \b
    ~/.bashrc                   eval "$(bundler completion bash)"
    ~/.zshrc                    eval "$(bundler completion zsh)"
    ~/.config/fish/config.fish  bundler completion fish | source
    """
    console.say(completion_script(context.find_root(), shell))
