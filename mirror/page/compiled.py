"""The templates: package data, escaped by default, no undefined name passed over."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import DictLoader, Environment, StrictUndefined

from bundler.model.size_text import human_bytes
from mirror.dates import minute
from mirror.page.escaping import escape_unprintable
from mirror.page.pieces import name_pieces, word_pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template


def _compile_all() -> Mapping[str, Template]:
    place = resources.files("mirror.page") / "templates"
    environment = Environment(
        loader=DictLoader({file.name: file.read_text("utf-8") for file in place.iterdir()}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["bytes"] = human_bytes
    environment.filters["minute"] = minute
    environment.filters["escape_unprintable"] = escape_unprintable
    environment.filters["name_pieces"] = name_pieces
    environment.filters["word_pieces"] = word_pieces
    environment.filters["thousands"] = "{:,}".format
    return {name: environment.get_template(name) for name in environment.list_templates()}


# by name; compiled when it is imported, once for all workers, which may not be able to read the installation
TEMPLATES = _compile_all()
