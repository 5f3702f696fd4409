"""The password of the registry's account, from a file that its owner alone can read; never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import FileStatus, Host

MAX_BYTES = 4096
_OTHERS = 0o077


def how_to_write(path: str) -> str:
    """Return what a person types to make such a file."""
    directory = path.rpartition("/")[0]
    return tr(
        "Type it as root, then Ctrl-D: `(umask 077; mkdir -p {directory}; cat >{path}; chmod 600 {path})`.",
        directory=directory,
        path=path,
    )


def is_owners_alone(status: FileStatus | None) -> bool:
    """Tell whether there is a file that nobody but its owner can read or write."""
    return status is not None and status.kind == "file" and not status.mode & _OTHERS


def secret_file_problem(host: Host, path: str, what: str) -> str:
    """Return why a file does not do for a secret, as a sentence without the path; "" where it does.

    Arguments:
        what: the secret, with its article.
    """
    status = host.status(path)
    if status is None:
        return tr("{what} is not there", what=what)
    if status.kind != "file":
        return tr("is no file")
    if not is_owners_alone(status):
        return tr(
            "holds {what}, and others than its owner may read or write it (mode {mode:04o})",
            what=what,
            mode=status.mode,
        )
    return tr("is larger than {max_bytes} bytes", max_bytes=MAX_BYTES) if status.size > MAX_BYTES else ""


def password_problem(host: Host, path: str) -> str:
    """Return why a file does not do for a password, as a sentence without the path; "" where it does."""
    if problem := secret_file_problem(host, path, tr("the registry's password")):
        return problem
    try:
        password = read_password(host, path)
    except UnicodeDecodeError:
        return tr("is not UTF-8")
    if not password:
        return tr("is empty")
    if any(character < " " or character == "\x7f" for character in password):
        return tr("holds more than one line, or what steers a terminal")
    return ""


def read_password(host: Host, path: str) -> str:
    """Return a file's one line without its end; "" where there is none. Raises UnicodeDecodeError."""
    return (host.read(path) or b"").decode().removesuffix("\n").removesuffix("\r")
