"""Values as a YAML file that people read: keys in the order that they have, one on a line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from bundler.model.json_value import Json

# a command stays on its line, for whoever copies it
_WIDTH = 100_000


class _Dumper(yaml.SafeDumper):
    """Writes no aliases: two equal values are two values."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def yaml_text(value: Json) -> bytes:
    """Return a document."""
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_WIDTH,
        encoding="utf-8",
    )
