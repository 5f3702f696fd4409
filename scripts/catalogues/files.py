"""The files of a catalogue: the .po that people edit, the .mo that programs read; by Babel, always the same bytes."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scripts.catalogues.source_texts import SourceText

LANGUAGE = "zh_CN"
OURS, CLICKS = "bundler", "click"
CATALOGUES = (OURS, CLICKS)
_COLUMNS = 120
# the fields of the `%` operator, which Click has beside those of `str.format`
_PERCENT = re.compile(r"%\([a-z]+\)s")


class _Catalogue(Catalog):
    """Without dates and versions in its head."""

    @property  # type: ignore[misc] # nobody sets it
    def mime_headers(self) -> list[tuple[str, str]]:
        """The head: what gettext needs."""
        return [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Language", LANGUAGE),
            ("Plural-Forms", "nplurals=1; plural=0;"),
        ]


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """One catalogue of the checkout.

    Arguments:
        root: the checkout.
        name: `bundler`, whose texts are those of the source, or `click`, whose texts are kept by hand.
    """

    root: Path
    name: str

    @property
    def po(self) -> Path:
        """What people edit."""
        return self.root / "translations" / LANGUAGE / f"{self.name}.po"

    @property
    def mo(self) -> Path:
        """What programs read."""
        return self.root / "bundler" / "locale" / LANGUAGE / "LC_MESSAGES" / f"{self.name}.mo"

    def messages(self) -> list[Message]:
        """Return the texts with their translations."""
        return [message for message in self._read() if message.id]

    def update(self, texts: Mapping[str, SourceText]) -> None:
        """Write the .po anew with the texts of the source, keeping translations; Click's as they are."""
        kept = {_key(message): message for message in self.messages()}
        new = _empty()
        if self.name == OURS:
            for text in texts.values():
                earlier = kept.get(text.one)
                string = earlier.string if earlier is not None else ""
                new.add(text.id, _shaped(string, plural=bool(text.many)), locations=[(file, 0) for file in text.files])
        else:
            for message in kept.values():
                new.add(message.id, message.string)
        self.po.write_bytes(_po_bytes(new))

    def compile(self) -> None:
        """Write the .mo from the .po."""
        self.mo.parent.mkdir(parents=True, exist_ok=True)
        self.mo.write_bytes(self.compiled())

    def compiled(self) -> bytes:
        """Return the .mo that the .po stands for."""
        new = _empty()
        for message in self.messages():
            new.add(message.id, message.string)
        out = io.BytesIO()
        write_mo(out, new)
        return out.getvalue()

    def untranslated(self) -> list[str]:
        """Return the texts that have no translation, or a doubtful one."""
        return [_key(message) for message in self.messages() if message.fuzzy or not all(_strings(message))]

    def problems(self, texts: Mapping[str, SourceText]) -> Iterator[str]:
        """Yield a line for whatever is not as it should be."""
        messages = {_key(message): message for message in self.messages()}
        if self.name == OURS:
            yield from (f"{self.po}: new in the source: {text!r}" for text in texts if text not in messages)
            yield from (f"{self.po}: no longer in the source: {text!r}" for text in messages if text not in texts)
        yield from (f"{self.po}: not translated: {text!r}" for text in self.untranslated())
        for text, message in messages.items():
            # of a text with a number, Click leaves out what stands for the number one
            has = fields(text) | fields(_many(message))
            if any(
                string and (fields(string) - has or (self.name == OURS and has - fields(string)))
                for string in _strings(message)
            ):
                yield f"{self.po}: other fields than the text: {text!r}"
        if not self.mo.exists() or self.mo.read_bytes() != self.compiled():
            yield f"{self.mo}: is not what the .po compiles to"

    def _read(self) -> Catalog:
        if not self.po.exists():
            return _empty()
        return read_po(io.BytesIO(self.po.read_bytes()), locale=LANGUAGE, ignore_obsolete=True)


def fields(text: str) -> set[str]:
    """Return the fields of a template, with their conversion and form; nothing of a text that has none."""
    if not any(name for _, name, _, _ in _parsed(text)):
        return set(_PERCENT.findall(text))
    return {f"{name}!{conversion}:{spec}" for _, name, spec, conversion in _parsed(text) if name is not None}


def _parsed(text: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(Formatter().parse(text))
    except ValueError:
        # a text without values, which may have braces
        return []


def _empty() -> _Catalogue:
    comment = f"# {LANGUAGE}: scripts/translations brings it up to date."
    return _Catalogue(locale=LANGUAGE, header_comment=comment, fuzzy=False)


def _po_bytes(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=_COLUMNS, include_lineno=False)
    return out.getvalue()


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _many(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ("",))


def _shaped(string: str | tuple[str, ...] | list[str] | None, *, plural: bool) -> str | tuple[str, ...]:
    """Return a translation as a text with or without a number has it."""
    one = string if isinstance(string, str) else next(iter(string or ()), "")
    return (one,) if plural else one
