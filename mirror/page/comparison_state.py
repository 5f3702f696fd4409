"""How far the comparison of a bundle's digests is, in words and as a document. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.size_text import human_bytes
from mirror.page.links import COMPARE_JSON_URL, COMPARE_URL, carried_language, query
from mirror.page.words import WORDS

if TYPE_CHECKING:
    from mirror.page.view import View
    from mirror.page.words import Words
    from mirror.tree.comparison import Comparison
    from mirror.tree.served_bundle import ServedBundle

COMPARISON_SCHEMA = "mirror.comparison/1"


class ComparisonOffer(NamedTuple):
    """What the page says where digests were not compared when the bundle was loaded.

    Arguments:
        start_url: where a form asks for it, "" while one is under way.
        progress_url: where a script asks how far it is, "" while none is.
        percent, progress: the same as a number and in words, of the one that is under way.
        is_other: whether the one that is under way is of another bundle.
    """

    start_url: str = ""
    progress_url: str = ""
    percent: int = 0
    progress: str = ""
    is_other: bool = False


def comparison_offer(bundle: ServedBundle, view: View, words: Words) -> ComparisonOffer:
    """Return what is offered for a bundle."""
    asked = query({"bundle": bundle.short_id, **carried_language(view)})
    own = view.comparisons.get(bundle.number)
    if own is not None:
        percent = _percent(bundle, own)
        progress = _progress(bundle, own, words)
        return ComparisonOffer(progress_url=COMPARE_JSON_URL + asked, percent=percent, progress=progress)
    if any(not each.is_over for each in view.comparisons.values()):
        return ComparisonOffer(is_other=True)
    return ComparisonOffer(start_url=COMPARE_URL + asked)


def comparison_data(bundle: ServedBundle, view: View) -> str:
    """Return the same as a document: `state` is `none`, `running` or `over`."""
    comparison = view.comparisons.get(bundle.number)
    value: dict[str, str | int] = {"schema": COMPARISON_SCHEMA, "bundle": bundle.short_id, "state": "none"}
    if comparison is not None:
        value |= {
            "state": "over" if comparison.is_over else "running",
            "percent": _percent(bundle, comparison),
            "text": _progress(bundle, comparison, WORDS[view.language]),
            "files": comparison.files,
            "total_files": bundle.file_count,
            "bytes": comparison.size,
            "total_bytes": bundle.content_bytes,
            "wrong_files": comparison.wrong,
        }
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _percent(bundle: ServedBundle, comparison: Comparison) -> int:
    # bundle.json and SHA256SUMS are read too, and a file that is written to meanwhile twice
    return 100 if comparison.is_over else min(99, comparison.size * 100 // max(1, bundle.content_bytes))


def _progress(bundle: ServedBundle, comparison: Comparison, words: Words) -> str:
    return words(
        "compare.progress",
        files=f"{comparison.files:,}",
        total=f"{bundle.file_count:,}",
        size=human_bytes(min(comparison.size, bundle.content_bytes)),
        of=human_bytes(bundle.content_bytes),
    )
