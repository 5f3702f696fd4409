"""The shell functions by which scripts that travel count signatures with openssl, as this package does: one text.

Owns the text, which is `data/signatures.sh`; what is asked of a bundle beside is each script's own.
"""

from __future__ import annotations

from importlib import resources

_MARK = "@SIGNATURES@\n"


def with_signature_check(script: str) -> str:
    """Return a script with the functions in place of its line `@SIGNATURES@`. Raises ValueError where it has none."""
    before, mark, after = script.partition(_MARK)
    if not mark:
        raise ValueError(f"there is no line {_MARK.rstrip()}")
    return before + (resources.files("bundler.trust") / "data" / "signatures.sh").read_text(encoding="utf-8") + after
