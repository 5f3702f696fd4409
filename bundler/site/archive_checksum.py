"""The checksum file beside KubeEdge's archive, as keadm reads it: whole, and nothing but the hex digits. Pure.

keadm takes anything else for a wrong checksum, asks whether it may delete the archive, and asks for ever when nobody
answers; so it is compared here before keadm is called.
"""

from __future__ import annotations

import re

from bundler.translation import tr

_WANTED = re.compile(rb"[0-9a-f]{128}\n*")
_ANY_CASE = re.compile(rb"[0-9a-fA-F]{128}\s*")
_WITH_NAME = re.compile(rb"[0-9a-fA-F]{128}[ \t]+\S.*")


def form_problem(text: bytes | None) -> str:
    """Return what is wrong with a checksum file's form, as words for a person; "" when keadm can read it."""
    if text is None:
        return tr("is missing")
    if _WANTED.fullmatch(text):
        return ""
    if _ANY_CASE.fullmatch(text):
        return tr("has upper-case digits or blanks, and keadm compares letter by letter")
    if _WITH_NAME.match(text):
        return tr("holds more than the digits (a file name, as sha512sum prints it), and keadm compares all of it")
    return tr("holds no SHA-512 in 128 hex digits")


def checksum_problem(text: bytes | None, sha512: str) -> str:
    """Return why keadm would not accept an archive, as words for a person; "" when it would.

    Arguments:
        text: of the checksum file. sha512: of the archive, in hex.
    """
    if problem := form_problem(text):
        return problem
    wanted = (text or b"").strip().decode()
    return (
        ""
        if wanted == sha512
        else tr("says {wanted}…, and the archive has {sha512}…", wanted=wanted[:12], sha512=sha512[:12])
    )
