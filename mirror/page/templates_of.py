"""The templates: package data, escaped by default, no undefined name passed over."""

from __future__ import annotations

import functools
from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined

from bundler.model.size_text import human_bytes
from mirror.page.dates import minute
from mirror.page.harmless import harmless


@functools.cache
def environment() -> Environment:
    """Return the one environment, with every template; each is compiled when it is first used."""
    place = resources.files("mirror.page") / "templates"
    made = Environment(
        loader=DictLoader({file.name: file.read_text("utf-8") for file in place.iterdir()}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["bytes"] = human_bytes
    made.filters["minute"] = minute
    made.filters["harmless"] = harmless
    made.filters["thousands"] = "{:,}".format
    return made
