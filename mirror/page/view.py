"""What a page is made from beside the site, and what comes out. Frozen values and the reading of a query, no I/O."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from mirror.page.catalog import GROUPS
from mirror.page.languages import known_language
from mirror.page.sort_order import BY_NAME, SortOrder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.client.reach import Reach, Snippet
    from mirror.page.catalog import ContentGroup
    from mirror.page.languages import Language
    from mirror.tree.comparison import Comparison

HTML = "text/html; charset=utf-8"
JSON = "application/json"
MAX_SEARCH_CHARACTERS = 200
MAX_PAGE = 100_000
_MAX_FIELDS = 32
_SHORT_ID = re.compile(r"[0-9a-f]{12}")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a URL's query asks of a page. Whatever cannot be understood counts as not asked.

    Arguments:
        language: `?lang=`, None for none.
        search: `?q=`, without white space at its ends.
        group: `?kind=`, which group of content alone, None for all.
        bundle: `?bundle=`, short id of the bundle to search, "" for the usual one.
        page: `?page=`, from 1.
        order: `?sort=`, how a directory is sorted.
        image_order: `?imagesort=`, how the images in it are.
        words: `?filter=`, what names of a directory are to hold.
    """

    language: Language | None = None
    search: str = ""
    group: ContentGroup | None = None
    bundle: str = ""
    page: int = 1
    order: SortOrder = BY_NAME
    image_order: SortOrder = BY_NAME
    words: str = ""

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read a query as it came, without its question mark; of a field that comes twice the last counts."""
        try:
            values = dict(parse_qsl(query, max_num_fields=_MAX_FIELDS, errors="replace"))
        except ValueError:
            return cls()
        bundle, page = values.get("bundle", ""), values.get("page", "")
        return cls(
            language=known_language(values.get("lang", "")),
            search=values.get("q", "").strip()[:MAX_SEARCH_CHARACTERS],
            group=next((group for group in GROUPS if group == values.get("kind")), None),
            bundle=bundle if _SHORT_ID.fullmatch(bundle) else "",
            page=min(int(page), MAX_PAGE) if _NUMBER.fullmatch(page) else 1,
            order=SortOrder.parse(values.get("sort", "")),
            image_order=SortOrder.parse(values.get("imagesort", "")),
            words=values.get("filter", "").strip()[:MAX_SEARCH_CHARACTERS],
        )

    @property
    def listing(self) -> dict[str, str]:
        """What an address says of a directory's list, beside its page; nothing for what is usual."""
        return {
            **({} if self.order.is_usual else {"sort": str(self.order)}),
            **({} if self.image_order.is_usual else {"imagesort": str(self.image_order)}),
            **({"filter": self.words} if self.words else {}),
        }


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, and how.

    Arguments:
        language: of the answer, from `choose_language`.
        asked: the URL's query, read.
        reach: how this client reaches the mirror: host and port from its Host field.
        snippets: for the panel that says what to type on a machine; empty where it is not shown.
        faults: the listed files that are refused at the moment, each `SHORT-ID/path`, as `Quarantine.paths` has them.
        carry_language: whether links keep `?lang=`: it was asked for, and no cookie of the client says the same yet.
        comparisons: how far the comparison of each bundle is that was asked for, by the bundle's number.
    """

    language: Language
    asked: Asked
    reach: Reach
    snippets: tuple[Snippet, ...] = ()
    faults: tuple[str, ...] = ()
    carry_language: bool = False
    comparisons: Mapping[int, Comparison] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer's content.

    Arguments:
        body: the bytes.
        media_type: for Content-Type.
        etag: strong validator with its quotes: the SHA-256 of the bytes.
    """

    body: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, text: str | bytes, media_type: str) -> Self:
        """Make an answer of a text, which becomes UTF-8."""
        body = text if isinstance(text, bytes) else text.encode()
        return cls(body, media_type, f'"{hashlib.sha256(body).hexdigest()}"')
