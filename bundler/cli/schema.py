"""`bundler schema`: print the manifest's JSON schema, for editors and other checkers."""

from __future__ import annotations

import json

import click

from bundler import console
from bundler.kinds import KINDS
from bundler.manifest.schema import manifest_schema


@click.command()
def schema() -> None:
    """Print the JSON schema of the manifest (draft 2020-12)."""
    console.say(json.dumps(manifest_schema(tuple(KINDS.values())), indent=2, ensure_ascii=False))
