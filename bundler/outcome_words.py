"""The words of programs that people see as well: as they stand in JSON, in tables and progress in their language.

Owns that list, from which the catalogue of translations has them; the types that they belong to stand where they are
used.
"""

from __future__ import annotations

from bundler.translation import marked, translated

_WORDS = frozenset(
    {
        # of images that are loaded or pushed, and of files that a mirror serves
        *(
            marked("loaded"),
            marked("pushed"),
            marked("present"),
            marked("skipped"),
            marked("failed"),
            marked("missing"),
        ),
        *(marked("differs"), marked("refused"), marked("unreachable")),
        # of robot accounts
        *(marked("made"), marked("renewed")),
        # of the artifacts of a lock
        *(marked("added"), marked("removed"), marked("changed")),
        *(marked("upgraded"), marked("downgraded"), marked("replaced")),
        # of findings of the site's steps
        *(marked("unmet"), marked("fault"), marked("pending"), marked("note")),
        # of the hosts of a fleet
        *(marked("done"), marked("not-run")),
        # of the parts of an archive
        *(marked("intact"), marked("unchecked")),
        # of compressed bytes that cannot be read
        *(marked("damaged"), marked("cut short"), marked("followed"), marked("too much memory")),
    }
)


def shown_word(word: str) -> str:
    """Return a word of a program's in the language of this process; one that is not known as it is."""
    return translated(word) if word in _WORDS else word
