"""A page taken apart: what a browser would see in it, by the standard library's parser."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "wbr"}


class Parsed(HTMLParser):
    """Elements, links and text of a page.

    Attributes:
        elements: (name, attributes) in the order of the page.
        unclosed: names of elements that were never closed, or closed in the wrong order.
    """

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self.feed(html.decode())
        self.close()
        self.unclosed += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, white space as one space."""
        return " ".join("".join(self.texts).split())

    @property
    def links(self) -> list[str]:
        """Where the page's `a` elements lead."""
        return [attributes["href"] for name, attributes in self.elements if name == "a" and "href" in attributes]

    def all(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of every element of that name."""
        return [attributes for each, attributes in self.elements if each == name]
