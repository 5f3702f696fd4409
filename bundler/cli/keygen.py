"""`bundler keygen`: a new pair of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.trust.key_pair import KeyPair


@click.command()
@click.argument("name", type=FILE)
@json_option
def keygen(name: Path, as_json: bool) -> None:
    """Make a pair of keys: NAME.key, which signs, and NAME.pem, by which others check that.

    The first is for you alone and is not encrypted: keep it where few can read it. The second goes to every host that
    is to trust you, into /etc/bundler/trusted.d. Nothing that is there is replaced.
    """
    from bundler.trust.key_pair import write_key_pair

    pair = write_key_pair(name)
    console.answer(_text(pair), _value(pair), schema="bundler.keygen/1", as_json=as_json)


def _text(pair: KeyPair) -> str:
    return tr(
        "{private}: signs; keep it to yourself\n{public}: key {id}, for those who are to trust it",
        private=pair.private,
        public=pair.public,
        id=pair.key.id,
    )


def _value(pair: KeyPair) -> dict[str, Json]:
    return {"private": str(pair.private), "public": str(pair.public), "key": pair.key.id}
