"""A served site and somebody who looks at it, for tests of the page."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.bundle_root import BundleRoot
from mirror.client.reach import Reach
from mirror.http.site_parts import site_parts
from mirror.page.view import Asked, View
from mirror.tree.served import Directory
from mirror.tree.site_loading import load_site
from tests.fakes.served_tree import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.model.bundle import BundleIndex
    from mirror.client.reach import Snippet
    from mirror.page.languages import Language
    from mirror.tree.comparison import Comparison
    from mirror.tree.shares import Share
    from mirror.tree.site import Site

REACH = Reach("master", 8088, False, 21)


@contextmanager
def served(
    root: Path, bundles: Mapping[str, BundleIndex], *, current: str = "", shares: Sequence[Share] = ()
) -> Iterator[Site]:
    """Write bundles below a root, by the names of their directories ("" for the root itself), and load them."""
    for directory, index in bundles.items():
        write_tree(index, root / directory)
    if current:
        (root / "current").symlink_to(current)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield load_site(BundleRoot(descriptor, root), shares, parts=site_parts())
    finally:
        os.close(descriptor)


def view(
    query: str = "",
    *,
    language: Language = "en",
    snippets: Sequence[Snippet] = (),
    faults: Sequence[str] = (),
    carry: bool = False,
    reach: Reach = REACH,
    comparisons: Mapping[int, Comparison] | None = None,
) -> View:
    """Return a view of the page with a query."""
    return View(language, Asked.parse(query), reach, tuple(snippets), tuple(faults), carry, comparisons or {})


def directory(site: Site, path: str) -> Directory:
    """Return the directory at a path; an AssertionError when there is none."""
    found = site.find(path)
    assert isinstance(found, Directory)
    return found
