"""USER, PASS and REIN. Without a file of users anybody is `anonymous`; with one, nobody is.

A wrong password costs time, and after a few the connection. Passwords are checked in a thread.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mirror.ftp.interface import LoggedCommand
from mirror.ftp.transfer_log import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.ftp.interface import Account, Control, Owner
    from mirror.worker.users import Users

_ANONYMOUS = ("anonymous", "ftp")
_WRONG = "The password is wrong, or the user is not known."
# for the address's turn, when it has failed before
_LONGEST_WAIT_S = 10.0


def log_out(control: Control) -> None:
    """Forget who has logged in, and what was set since."""
    control.set_data_port(None)
    control.account.log_out()


def rein(control: Control, _account: Account, _owner: Owner, _: str) -> None:
    """REIN: as if the client had just connected."""
    log_out(control)
    control.respond("220 Ready for a new user.")


def user(control: Control, account: Account, owner: Owner, name: str) -> None:
    """USER: 331 also for names that are not known (RFC 2577, 5)."""
    if account.logged_in or account.name:
        log_out(control)
    anonymous = name.lower() in _ANONYMOUS
    if owner.users is None:
        if not anonymous:
            control.respond("530 Only anonymous is known here.")
            return
        text = "Anonymous login: send any password."
    elif anonymous:
        control.respond("530 Anonymous logins are not accepted.")
        return
    elif control.tls == "offered":
        control.respond("530 Passwords are accepted over TLS only: send AUTH TLS first.")
        return
    else:
        text = "Send the password."
    account.name = name
    control.respond(f"331 {text}")


def password(control: Control, account: Account, owner: Owner, text: str) -> None:
    """PASS."""
    if account.logged_in or not account.name:
        control.respond("503 Send USER first.")
        return
    users = owner.users
    if users is None:
        _log_in(control, owner, "")
        return
    name, secret = account.name, text.encode("utf-8", "surrogateescape")
    if users.remembers(name, secret):
        _log_in(control, owner, name)
    else:
        control.pause()
        _take_turn(control, owner, partial(_is_right, users, name, secret), _LONGEST_WAIT_S)


def _take_turn(control: Control, owner: Owner, is_right: Callable[[], bool], patience_s: float) -> None:
    """Have a password looked at when it is the address's turn; refuse it when that is too long to wait for."""
    if control.ended:
        return
    wait_s = owner.login_wait_s(control.peer.address)
    if not wait_s:
        owner.passwords.run(is_right, partial(_checked, control, owner, control.account.name))
    elif wait_s <= patience_s:
        owner.call_later(wait_s, partial(_take_turn, control, owner, is_right, patience_s - wait_s))
    else:
        _refuse(control, owner, "Too many failed logins from your address; try again later.")


def _is_right(users: Users, name: str, secret: bytes) -> bool:
    # many clients with the same password come at once; the first one's check is enough
    return users.remembers(name, secret) or users.check(name, secret)


def _checked(control: Control, owner: Owner, name: str, right: bool | None) -> None:
    if right is not None:
        owner.login_ended(control.peer.address, right=right)
    if control.ended:
        return
    if not right:
        owner.call_later(owner.limits.failure_delay_s, partial(_refuse, control, owner, _WRONG))
        return
    _log_in(control, owner, name)
    control.resume()


def _log_in(control: Control, owner: Owner, name: str) -> None:
    control.account.logged_in = True
    control.account.user = name
    control.respond(f"230 {owner.welcome()}")


def _refuse(control: Control, owner: Owner, text: str) -> None:
    if control.ended:
        return
    account = control.account
    account.name = ""
    account.failures += 1
    # no name: it may be a password that was typed in the wrong place
    refuse(control, owner, LoggedCommand("PASS", "", ""), 530, text)
    if account.failures >= owner.limits.attempts:
        control.close_when_done()
    control.resume()
