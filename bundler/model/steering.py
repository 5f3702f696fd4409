"""Characters that steer a terminal or turn the reading order: what is shown with them is not what is there."""

from __future__ import annotations

import re

# marks, embeddings, overrides and isolates (Unicode Annex 9, 2)
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
BIDI = re.compile(f"[{_BIDI}]")
# C0 but tab and line feed, DEL, C1; those that turn the order; and half pairs, which stand for bytes of names that are
# not UTF-8, and which no stream takes
STEERING = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")
