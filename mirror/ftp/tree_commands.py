"""The commands that look at the tree: where one is, what is there, and RETR. Each takes one snapshot."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from mirror.ftp.content import FileContent, TextContent
from mirror.ftp.interface import LoggedCommand
from mirror.ftp.listings import chunks, fact_line, fact_time, list_line, name_line
from mirror.ftp.paths import is_pattern, matching, quoted, resolve, without_options
from mirror.ftp.transfer_log import refuse
from mirror.tree.open_file import open_to_send
from mirror.tree.opening import NotTheCheckedFileError
from mirror.tree.served import Directory, DirectoryEntry, File

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mirror.ftp.interface import Account, Control, Owner
    from mirror.tree.served import Resource

# STAT answers on the control connection, where nothing can be aborted
_MAX_STAT_ENTRIES = 1000
_MAX_OFFSET_DIGITS = 19
_ABSENT = "550 There is no such file or directory."


class _Listing(NamedTuple):
    """What LIST, NLST and STAT show.

    Arguments:
        path: the one that was meant.
        entries: None where nothing is.
        directory_s: the date of directories in it, in seconds since the epoch.
        bundle: short id, "" for none.
    """

    path: str
    entries: Collection[DirectoryEntry] | None
    directory_s: int
    bundle: str


def find(owner: Owner, path: str) -> Resource | None:
    """Return what is served at a path now; None also when the disk fails, which is reported."""
    try:
        return owner.site.find(path)
    except OSError as error:
        owner.report(f"/{path} cannot be looked at: {error.strerror}")
        return None


def look(account: Account, owner: Owner, argument: str) -> tuple[str, Resource | None]:
    """Return the path that an argument names, and what is served there; no file has a slash behind its name."""
    path = resolve(account.directory, argument)
    found = find(owner, path)
    if isinstance(found, File) and argument.endswith(("/", "/.")):
        return path, None
    return path, found


def pwd(control: Control, account: Account, _owner: Owner, _: str) -> None:
    """PWD."""
    control.respond(f"257 {quoted(account.directory)} is the current directory.")


def cwd(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """CWD; without an argument to the top."""
    path, found = look(account, owner, argument or "/")
    if isinstance(found, Directory):
        account.directory = path
        control.respond(f"250 {quoted(path)} is the current directory.")
    else:
        control.respond("550 There is no such directory.")


def cdup(control: Control, account: Account, owner: Owner, _: str) -> None:
    """CDUP; at the top it stays there."""
    cwd(control, account, owner, "..")


def size(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """SIZE (RFC 3659, 4): of what TYPE I would send."""
    if account.ascii_mode:
        control.respond("550 SIZE is not told in ASCII mode; send TYPE I.")
        return
    _, found = look(account, owner, argument)
    control.respond(f"213 {found.size}" if isinstance(found, File) else "550 There is no such file.")


def mdtm(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """MDTM (RFC 3659, 3)."""
    _, found = look(account, owner, argument)
    reply = f"213 {fact_time(found.modified_s)}" if isinstance(found, File) else "550 There is no such file."
    control.respond(reply)


def rest(control: Control, account: Account, _owner: Owner, argument: str) -> None:
    """REST (RFC 3659, 5): where the next RETR begins."""
    if not (argument.isascii() and argument.isdigit() and len(argument) <= _MAX_OFFSET_DIGITS):
        control.respond("501 REST takes a number of bytes.")
        return
    account.restart_at = int(argument)
    control.respond(f"350 The next RETR begins at {int(argument)}.")


def retr(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """RETR, from where REST has set; bytes are sent as they are in ASCII mode too: a digest must still match."""
    offset, account.restart_at = account.restart_at, 0
    path, found = look(account, owner, argument)
    if not isinstance(found, File):
        text = "There is no such file." if found is None else "This is a directory."
        refuse(control, owner, LoggedCommand("RETR", path, ""), 550, text)
        return
    byte_range = f"{offset}-{found.size - 1}" if offset else ""
    command = LoggedCommand("RETR", path, found.bundle, byte_range)
    if offset > found.size:
        refuse(control, owner, command, 554, f"The file has {found.size} bytes only.")
        return
    try:
        _begin(control, found, offset, command)
    except NotTheCheckedFileError as error:
        control.pause()
        owner.recheck(found, error, partial(_begin_again, control, owner, offset, command))


def _begin(control: Control, file: File, offset: int, command: LoggedCommand) -> None:
    """Announce and start the transfer of a file. Raises NotTheCheckedFileError."""
    content = FileContent(open_to_send(file), offset, file.size)
    control.begin(content, command, f"Sending {quoted(command.path)} ({file.size} bytes).")


def _begin_again(control: Control, owner: Owner, offset: int, command: LoggedCommand, file: File | None) -> None:
    """Send a file that was hashed again, or refuse it where that has not made it the listed one."""
    if control.ended:
        return
    is_begun = False
    if file is not None:
        with suppress(NotTheCheckedFileError):
            _begin(control, file, offset, command)
            is_begun = True
    if not is_begun:
        refuse(control, owner, command, 450, "The file cannot be served at the moment.")
    control.resume()


def list_(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """LIST of a directory, a file, or a pattern in the last segment."""
    _list(control, account, owner, "LIST", argument)


def nlst(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """NLST of a directory, a file, or a pattern in the last segment."""
    _list(control, account, owner, "NLST", argument)


def mlsd(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """MLSD (RFC 3659, 7)."""
    account.restart_at = 0
    path, found = look(account, owner, argument)
    if not isinstance(found, Directory):
        code = 550 if found is None else 501
        refuse(control, owner, LoggedCommand("MLSD", path, ""), code, "There is no such directory.")
        return
    line = partial(fact_line, directory_s=found.modified_s, facts=account.facts)
    command = LoggedCommand("MLSD", path, found.bundle)
    control.begin(TextContent(chunks(found.entries, line)), command, f"Listing {quoted(path)}.")


def mlst(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """MLST (RFC 3659, 7): one line about a path, on the control connection."""
    path, found = look(account, owner, argument)
    if found is None:
        control.respond(_ABSENT)
        return
    modified_s = found.modified_s
    entry = DirectoryEntry(f"/{path}", found if isinstance(found, File) else None)
    line = fact_line(entry, modified_s, account.facts)
    control.push(f"250-Listing {quoted(path)}:\r\n {line}")
    control.respond("250 End.")


def stat(control: Control, account: Account, owner: Owner, argument: str) -> None:
    """STAT: of the session, or with a path what LIST would say, on the control connection."""
    if not argument:
        _session_status(control, account)
        return
    listing = _listing(account, owner, argument)
    if listing.entries is None:
        control.respond(_ABSENT)
    elif len(listing.entries) > _MAX_STAT_ENTRIES:
        control.respond("450 Too many entries for STAT; use LIST.")
    else:
        line = partial(list_line, directory_s=listing.directory_s, now_s=time.time())
        lines = b"".join(chunks(listing.entries, line)).decode("utf-8", "surrogateescape")
        control.push(f"213-Status of {quoted(listing.path)}:\r\n{lines}")
        control.respond("213 End.")


def _session_status(control: Control, account: Account) -> None:
    login = "Logged in." if account.logged_in else "Not logged in."
    data = "No transfer."
    if control.sent_bytes is not None:
        data = f"A transfer runs; {control.sent_bytes} bytes are sent."
    elif control.data_port is not None:
        data = "A data connection is awaited."
    control.push(f"211-Status:\r\n {login}\r\n {data}\r\n")
    control.respond("211 End.")


def _list(control: Control, account: Account, owner: Owner, method: str, argument: str) -> None:
    account.restart_at = 0
    listing = _listing(account, owner, argument)
    if listing.entries is None:
        refuse(control, owner, LoggedCommand(method, listing.path, ""), 550, _ABSENT.removeprefix("550 "))
        return
    line: Callable[[DirectoryEntry], str] = name_line
    if method == "LIST":
        line = partial(list_line, directory_s=listing.directory_s, now_s=time.time())
    command = LoggedCommand(method, listing.path, listing.bundle)
    control.begin(TextContent(chunks(listing.entries, line)), command, f"Listing {quoted(listing.path)}.")


def _listing(account: Account, owner: Owner, argument: str) -> _Listing:
    path, found = look(account, owner, argument)
    if found is None and argument.startswith("-"):
        argument = without_options(argument)
        path, found = look(account, owner, argument)
    if isinstance(found, Directory):
        return _Listing(path, found.entries, found.modified_s, found.bundle)
    # a client that names a directory expects it in the names that it gets
    prefix = argument[: argument.rfind("/") + 1]
    if isinstance(found, File):
        entry = DirectoryEntry(prefix + path.rpartition("/")[2], found)
        return _Listing(path, (entry,), found.modified_s, found.bundle)
    above, _, name = path.rpartition("/")
    if is_pattern(path) and isinstance(parent := find(owner, above), Directory):
        matched = [DirectoryEntry(prefix + entry.name, entry.file) for entry in matching(parent.entries, name)]
        return _Listing(path, matched or None, parent.modified_s, parent.bundle)
    return _Listing(path, None, 0, "")
