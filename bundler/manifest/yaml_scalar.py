"""Values of YAML scalars by their tag, as PyYAML's safe constructor makes them of YAML 1.1's types (yaml.org/type)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from bundler.manifest.node_text import character_problem
from bundler.translation import tr

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

STRING_TAG = "tag:yaml.org,2002:str"
MERGE_TAG = "tag:yaml.org,2002:merge"
# nobody needs longer numbers, and some of their forms take quadratic time to read
MAX_NUMBER_CHARACTERS = 64


class ScalarProblem(Exception):  # noqa: N818 - it travels one call and becomes a reported problem
    """The text does not match its tag."""


def scalar_value(tag: str, text: str) -> bool | int | float | str | dt.date | None:
    """Return the value of a scalar.

    Arguments:
        tag: its resolved tag, in full.
        text: the scalar's text in the file, without quotes and escapes.

    Raises ScalarProblem when the text does not fit the tag, KeyError when the tag is not a supported one.
    """
    if tag in _STRING_TAGS:
        if problem := character_problem(text):
            raise ScalarProblem(tr("the string {problem}", problem=problem))
        return text
    constructor = _CONSTRUCTORS[tag]
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ScalarProblem(
            tr(
                "a number of more than {max_number_characters} characters; quote it if a string is meant",
                max_number_characters=MAX_NUMBER_CHARACTERS,
            )
        )
    try:
        return constructor(yaml.ScalarNode(tag, text))
    except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # PyYAML checks nothing itself: each of these means that text and tag do not match
        word = {"bool": "truth value", "timestamp": "date"}.get(tag.rpartition(":")[2], "number")
        raise ScalarProblem(
            tr("{text!r} is read as a {word} but is none; quote it if a string is meant", text=text, word=word)
        ) from error


_safe = yaml.constructor.SafeConstructor()
# `=` and `<<` as values are what they look like
_STRING_TAGS = frozenset({STRING_TAG, "tag:yaml.org,2002:value", MERGE_TAG})
_CONSTRUCTORS: dict[str, Callable[[yaml.ScalarNode], bool | int | float | dt.date | None]] = {
    "tag:yaml.org,2002:null": _safe.construct_yaml_null,
    "tag:yaml.org,2002:bool": _safe.construct_yaml_bool,
    "tag:yaml.org,2002:int": _safe.construct_yaml_int,
    "tag:yaml.org,2002:float": _safe.construct_yaml_float,
    "tag:yaml.org,2002:timestamp": _safe.construct_yaml_timestamp,
}
