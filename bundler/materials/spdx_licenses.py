"""Licences as SPDX writes them, or as somebody's own words. Pure.

Owns the identifiers that packages of distributions use; a test compares them with SPDX's list. What is not among them
is kept as it stands, for nobody but a lawyer can say what "GPLv2+ and BSD with advertising" is.
"""

from __future__ import annotations

import re

_IDENTIFIERS = """
    0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 BSD-1-Clause
    BSD-2-Clause BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-LBNL BSD-4-Clause BSD-4-Clause-UC
    BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-PDDC CC0-1.0 CDDL-1.0 CDDL-1.1 CPL-1.0 curl
    EPL-1.0 EPL-2.0 FSFAP FSFUL FSFULLR FTL GD GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later
    GFDL-1.3-no-invariants-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only
    GPL-3.0-or-later HPND HPND-sell-variant ICU IJG Info-ZIP ISC JPNIC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only
    LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later libpng-2.0 libtiff LPPL-1.3c MIT MIT-0 MIT-CMU MPL-1.0 MPL-1.1
    MPL-2.0 MS-PL MulanPSL-2.0 NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL OSL-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0
    Python-2.0.1 Ruby SGI-B-2.0 Sleepycat SSH-OpenSSH SSH-short SWL TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0
    Vim W3C WTFPL X11 X11-distribute-modifications-variant Xfig Zend-2.0 Zlib zlib-acknowledgement ZPL-2.1 GPL-2.0
    GPL-2.0+ GPL-3.0 GPL-3.0+ LGPL-2.0 LGPL-2.0+ LGPL-2.1 LGPL-2.1+ LGPL-3.0 LGPL-3.0+
"""
_EXCEPTIONS = """
    Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0
    cryptsetup-OpenSSL-exception GCC-exception-2.0 GCC-exception-3.1 Libtool-exception Linux-syscall-note LLVM-exception
"""
IDENTIFIERS = frozenset(_IDENTIFIERS.split())
EXCEPTIONS = frozenset(_EXCEPTIONS.split())
_MAX_DEPTH = 8
_WORD = re.compile(r"\(|\)|[^\s()]+")


def spdx_expression(text: str) -> str:
    """Return a licence as an SPDX expression (SPDX 2.3, annex D), or "" for one that is none of known identifiers."""
    words = _WORD.findall(text)
    at, problem = _alternatives(words, 0, depth=0)
    return " ".join(words).replace("( ", "(").replace(" )", ")") if words and not problem and at == len(words) else ""


def _alternatives(words: list[str], at: int, *, depth: int) -> tuple[int, bool]:
    """Read `licence {AND|OR licence}`; return where it ends, and whether something is wrong with it."""
    while True:
        at, problem = _licence(words, at, depth=depth)
        if problem or at >= len(words) or words[at] not in ("AND", "OR"):
            return at, problem
        at += 1


def _licence(words: list[str], at: int, *, depth: int) -> tuple[int, bool]:
    if at >= len(words) or depth > len("((((("):
        return at, True
    if words[at] == "(":
        at, problem = _alternatives(words, at + 1, depth=depth + 1)
        return at + 1, problem or at >= len(words) or words[at] != ")"
    if words[at] not in IDENTIFIERS:
        return at, True
    if words[at + 1 : at + 2] == ["WITH"]:
        return at + 3, words[at + 2 : at + 3] == [] or words[at + 2] not in EXCEPTIONS
    return at + 1, False
