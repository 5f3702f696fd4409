"""A kind of content is one folder and a line in two tables: nothing else depends on which kinds there are."""

from __future__ import annotations

import pytest

from bundler.kinds import KINDS
from bundler.manifest.reader import RESERVED_KEYS
from bundler.model.artifacts import DECODERS
from tests.contract.checkout import PRODUCT, ROOT, python_files
from tests.contract.kind_names import knowledge_of_kinds

NAMES = frozenset(KINDS)
PACKAGES = frozenset(type(kind).__module__.rpartition(".")[0] for kind in KINDS.values())
# where kinds are named on purpose: one line for each, and no decision
TABLES = {"bundler/cli/wiring.py", "bundler/model/artifacts.py", "bundler/model/about.py"}
# where a word of another document happens to be a kind's name
OTHERS = {
    "bundler/rpm/metadata/modulemd.py": "`rpms` is a key of Fedora's module documents",
    "bundler/site/steps/pushed_images.py": "`images` is a step's name, and a key of what push-images answers",
}


def test_nothing_outside_kinds_knows_which_kinds_there_are() -> None:
    found = {}
    for path in python_files(*PRODUCT):
        name = str(path.relative_to(ROOT))
        known = list(knowledge_of_kinds(path.read_text(), NAMES, PACKAGES))
        if known and not name.startswith("bundler/kinds/") and name not in TABLES:
            found[name] = known
    assert {name: known for name, known in found.items() if name not in OTHERS} == {}
    assert found.keys() == OTHERS.keys()
    assert len(OTHERS) <= 3


def test_a_lock_is_read_without_the_kinds() -> None:
    assert DECODERS.keys() == KINDS.keys()


def test_a_kind_that_is_there_is_not_kept_for_later() -> None:
    assert RESERVED_KEYS.keys().isdisjoint(KINDS)


@pytest.mark.parametrize(
    "source",
    [
        'if entry.kind == "images": pass',
        'if "images" != entry.kind: pass',
        'wanted = [e for e in entries if e.kind in ("files", "rpms")]',
        'if entry.kind not in {"debs", "rpms"}: pass',
        'match entry.kind:\n    case "files": pass',
        'match entry.kind:\n    case "debs" | "rpms": pass',
        'act = TABLE["images"]',
        'del TABLE["images"]',
        'act = TABLE.get("rpms", default)',
        'lock.entries.setdefault("files", [])',
        'TABLE = {"images": act}',
        'TABLE = {"files": 1, "images": 2, "debs": 3}',
        'KNOWN = ["files", "images"]',
        'KIND = "rpms"\nif entry.kind == KIND: pass',
        'KIND: str = "rpms"',
        'act(kind := "rpms")',
        'def act(kind="rpms"): pass',
        'def act(*, kind: str = "rpms"): pass',
        "TABLE = dict(images=act)",
        "import bundler.kinds.images.kind",
        "from bundler.kinds import rpms",
        "from bundler.kinds.files import entry",
        "def late():\n    from bundler.kinds.rpms.kind import RpmsKind",
        'scripts = resources.files("bundler.kinds.images") / "data"',
    ],
)
def test_it_is_found(source: str) -> None:
    assert list(knowledge_of_kinds(source, NAMES, PACKAGES)) != []


@pytest.mark.parametrize(
    "source",
    [
        "for kind in kinds.values(): kind.lock(entry)",
        "from bundler.kinds import KINDS",
        "from bundler.kinds.base import Kind",
        'answer = {"archive": path, "size": size, "files": count}',
        "answer = dict(archive=path, size=size, files=count)",
        'HEADINGS = ("mirror", "bundle", "files", "bytes")',
        '"""Loops over files, images and rpms."""',
        'file = directory / "files"',
    ],
)
def test_words_that_mean_something_else_are_left_alone(source: str) -> None:
    assert list(knowledge_of_kinds(source, NAMES, PACKAGES)) == []
