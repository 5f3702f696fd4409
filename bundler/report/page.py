"""The report as one HTML page that loads nothing from elsewhere. Owns its words, its look and what is done to names.

The page holds both languages and switches between them by style alone: it has no script. Names come from upstreams, so
everything is escaped, and what would turn the order of reading is written out.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, get_args

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from bundler.model.json_value import load_strict
from bundler.model.size_text import human_bytes
from bundler.model.steering import STEERING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.report.transfer_report import TransferReport

Tongue = Literal["en", "zh"]
TONGUES: tuple[Tongue, ...] = get_args(Tongue)
# in the attribute `lang`
_HTML_NAMES: Mapping[Tongue, str] = {"en": "en", "zh": "zh-CN"}
_SHORT_DIGITS = 12
_DIGEST = "sha256:"
# rows written at once
_ROWS = 100


def report_pieces(report: TransferReport) -> Iterator[bytes]:
    """Yield the page in pieces of whole characters; the same report gives the same bytes."""
    place = resources.files(__package__)
    texts = {tongue: load_strict((place / "words" / f"{tongue}.json").read_bytes()) for tongue in TONGUES}
    sources = {file.name: file.read_text("utf-8") for file in (place / "templates").iterdir()}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": human_bytes, "thousands": "{:,}".format, "signed": _signed, "short": _short}
    stream = environment.get_template("report.html").stream(report=report, t=_BilingualTexts(texts), tongues=TONGUES)
    stream.enable_buffering(_ROWS)
    return (piece.encode() for piece in stream)


class _BilingualTexts:
    """Texts in both languages at once, each shown by the style for its own."""

    def __init__(self, texts: Mapping[Tongue, Mapping[str, str]]) -> None:
        self._texts = texts

    def __call__(self, key: str, **values: object) -> Markup:
        """Return the text of a key, with its `{placeholders}` filled; a KeyError is found by a test."""
        return Markup("").join(
            Markup('<span class="{}" lang="{}">{}</span>').format(
                tongue, _HTML_NAMES[tongue], escape(self._texts[tongue][key].format(**values))
            )
            for tongue in TONGUES
        )

    def plain(self, key: str, tongue: Tongue) -> str:
        """Return the text in one language, for the style and the title."""
        return self._texts[tongue][key]


def _plain(value: Any) -> Any:
    """Write out what would steer or turn the text around it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return STEERING.sub(lambda match: f"[U+{ord(match[0]):04X}]", value)
    return value


def _signed(count: int) -> str:
    return ("+" if count >= 0 else "\u2212") + human_bytes(abs(count))


def _short(version: str) -> str:
    if version.startswith(_DIGEST):
        return version[: len(_DIGEST) + _SHORT_DIGITS]
    return version
