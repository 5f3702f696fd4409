"""The commands of TLS (RFC 4217): AUTH, PBSZ and PROT. What they begin is in `tls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror.ftp.interface import Account, Control, Owner

_UNAVAILABLE = "502 TLS is not set up here."
_AUTH_FIRST = "503 Send AUTH TLS first."


def auth(control: Control, _account: Account, _owner: Owner, argument: str) -> None:
    """AUTH."""
    if control.tls == "unavailable":
        control.respond(_UNAVAILABLE)
    elif control.tls == "in use":
        control.respond("503 TLS is in use already.")
    elif argument.upper() not in ("TLS", "TLS-C", "SSL"):
        control.respond("504 Only TLS is known.")
    else:
        control.start_tls()


def pbsz(control: Control, account: Account, _owner: Owner, _: str) -> None:
    """PBSZ; the only size for TLS is 0."""
    if control.tls == "unavailable":
        control.respond(_UNAVAILABLE)
    elif control.tls == "offered":
        control.respond(_AUTH_FIRST)
    else:
        account.buffer_size_agreed = True
        control.respond("200 PBSZ=0")


def prot(control: Control, account: Account, _owner: Owner, argument: str) -> None:
    """PROT."""
    level = argument.upper()
    if control.tls == "unavailable":
        control.respond(_UNAVAILABLE)
    elif not account.buffer_size_agreed:
        control.respond("503 Send PBSZ first.")
    elif level in ("C", "P"):
        account.protects_data = level == "P"
        control.respond(f"200 Data connections are {'protected' if account.protects_data else 'clear'}.")
    else:
        control.respond("536 Only C and P are known." if level in ("S", "E") else "504 Only C and P are known.")
