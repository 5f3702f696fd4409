"""`scripts/translations`: update and compile, or tell what is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.catalogues.files import CATALOGUES, CatalogueFile
from scripts.catalogues.source_texts import SourceText, source_texts

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    texts = source_texts(ROOT)
    files = [CatalogueFile(ROOT, name) for name in CATALOGUES]
    if arguments == ["--check"]:
        problems = [problem for file in files for problem in file.problems(texts)]
        print("\n".join(problems))
        return 1 if problems else 0
    for file in files:
        _bring_up_to_date(file, texts)
    return 0


def _bring_up_to_date(file: CatalogueFile, texts: dict[str, SourceText]) -> None:
    file.update(texts)
    file.compile()
    left = file.untranslated()
    print(f"{file.po}: {len(left)} texts without a translation")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
