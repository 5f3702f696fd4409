"""Which commands there are, who may give them, and how the others are refused. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirror.ftp.pyftpdlib_adapter import PYFTPDLIB_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_IN_FIRST = "530 Log in with USER and PASS first."
READ_ONLY = "550 This server is read-only."
# obeyed while a transfer runs; all others wait for its end
AT_ANY_TIME = frozenset({"ABOR", "STAT"})
WRITING = frozenset(
    {
        *("APPE", "COMB", "DELE", "MFCT", "MFF", "MFMT", "MKD", "RMD", "RNFR", "RNTO", "SITE CHMOD", "SITE", "STOR"),
        *("STOU", "XMKD", "XRMD"),
    }
)
# known, so that a client hears that they are not supported rather than that they do not exist (RFC 959, 4.2.1)
UNSUPPORTED = frozenset(
    {
        *("ACCT", "ADAT", "CCC", "CONF", "CSID", "ENC", "HASH", "HOST", "LANG", "LPRT", "LPSV", "MIC", "RANG", "SMNT"),
        *("XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512"),
    }
)
_TLS: Mapping[str, dict[str, Any]] = {
    "AUTH": {"auth": False, "arg": True, "help": "Syntax: AUTH <SP> TLS (protect the control connection)."},
    "PBSZ": {"auth": False, "arg": True, "help": "Syntax: PBSZ <SP> 0 (comes before PROT)."},
    "PROT": {"auth": False, "arg": True, "help": "Syntax: PROT <SP> [C|P] (data connections clear or protected)."},
}
# the form is pyftpdlib's: its HELP and FEAT go by it
RULES: dict[str, dict[str, Any]] = {
    **{word: rule for word, rule in PYFTPDLIB_RULES.items() if word not in WRITING},
    **_TLS,
    # clients choose UTF-8 before they log in
    "OPTS": {**PYFTPDLIB_RULES["OPTS"], "auth": False},
}


def refusal(word: str, argument: str, *, logged_in: bool) -> str:
    """Return what a command is refused with before it is looked at, "" for a command that may be obeyed."""
    rule = RULES.get(word)
    if rule is None:
        if word in WRITING:
            return READ_ONLY if logged_in else LOG_IN_FIRST
        return f"502 {word} is not supported." if word in UNSUPPORTED else "500 There is no such command."
    if not logged_in and (rule["auth"] or (word == "STAT" and argument)):
        return LOG_IN_FIRST
    if rule["arg"] is True and not argument:
        return f"501 {word} needs an argument."
    if rule["arg"] is False and argument.strip():
        return f"501 {word} takes no argument."
    return ""
