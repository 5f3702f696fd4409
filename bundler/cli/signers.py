"""Who signs: private keys in files, and a command with the public half of what it signs with."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from bundler.cli.options import FILE, option
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.trust.interface import Signer

sign_option = option(
    "--sign",
    "signing_keys",
    multiple=True,
    type=FILE,
    metavar="KEY",
    help=tr("A private key that signs: P-256 in PEM, not encrypted (repeatable)."),
)


def key_signers(keys: tuple[Path, ...]) -> tuple[Signer, ...]:
    """Return who signs with the private keys in files. Raises IntegrityError (KEY_INVALID), StorageError."""
    if not keys:
        return ()
    from bundler.trust.signing_key import read_signing_key

    return tuple(map(read_signing_key, keys))


def command_signers(command: str, keys: tuple[Path, ...]) -> tuple[Signer, ...]:
    """Return who signs by a command. Raises IntegrityError (KEY_INVALID), StorageError, a usage error."""
    if not command:
        if keys:
            raise click.UsageError(tr("--key is the public half of what --sign-command signs with"))
        return ()
    if len(keys) != 1:
        raise click.UsageError(tr("--sign-command needs one --key, by which its signature is checked"))
    from bundler.trust.sign_command import CommandSigner
    from bundler.trust.trusted_directory import read_public_key

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(tr("--sign-command: {error}", error=error)) from error
    if not words:
        raise click.UsageError(tr("--sign-command is empty"))
    return (CommandSigner(words, read_public_key(keys[0]), os.environ),)
