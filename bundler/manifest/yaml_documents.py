"""A stream of YAML documents -> plain lists and mappings in which every scalar is the text from the file.

For documents of an upstream (module metadata of a repository), never for the operator's own: there are no positions,
and types are not guessed, so that the stream `1.10` stays `1.10`. Reads events for the reason given in `yaml_tree`;
refuses to know what the documents mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import yaml

from bundler.manifest.yaml_tree import NESTING_REFUSED
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

# PyYAML may be built without libyaml
FASTEST_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
MAX_DEPTH = 64
TOO_DEEP = tr("it is nested deeper than {max_depth} levels", max_depth=MAX_DEPTH)

Plain = str | list["Plain"] | dict[str, "Plain"]


def read_documents(source: bytes | BinaryIO, *, loader: Any = FASTEST_LOADER) -> Iterator[Plain]:
    """Yield the documents of a stream, one at a time; of equal keys in one mapping the last counts.

    Arguments:
        source: UTF-8; read only as far as needed.
        loader: PyYAML's loader class, in C or in Python.

    Raises ValueError, also in the middle: not YAML, an alias (plain values would be shared), a key that is a list or a
    mapping, deeper than MAX_DEPTH.
    """
    open_values: list[_Open] = []
    try:
        for event in yaml.parse(source, Loader=loader):
            if isinstance(event, yaml.ScalarEvent):
                value: Plain = event.value
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                if len(open_values) == MAX_DEPTH:
                    raise ValueError(TOO_DEEP)
                open_values.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}))
                continue
            elif isinstance(event, yaml.CollectionEndEvent):
                value = open_values.pop().value
            elif isinstance(event, yaml.AliasEvent):
                raise ValueError(
                    tr("it has an alias (*{anchor}), which such documents do not use", anchor=event.anchor)
                )
            else:
                continue
            if open_values:
                open_values[-1].add(value)
            else:
                yield value
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        if NESTING_REFUSED in str(error):
            raise ValueError(TOO_DEEP) from error
        raise ValueError(tr("it is not valid YAML: {error}", error=error)) from error


class _Open:
    """A list or mapping whose end has not been read yet."""

    __slots__ = ("_key", "value")

    def __init__(self, value: list[Plain] | dict[str, Plain]) -> None:
        self.value = value
        self._key: str | None = None

    def add(self, value: Plain) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self._key is not None:
            self.value[self._key] = value
            self._key = None
        elif isinstance(value, str):
            self._key = value
        else:
            raise ValueError(tr("it has a key that is a list or a mapping"))
