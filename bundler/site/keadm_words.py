"""What keadm's output means: the one line that says why it failed, and what to do about it. Pure.

keadm prints each error twice, the second time with 25 lines of usage; a question ends in "[y/N]: " and comes again for
ever when nobody answers; a panic has no `Error:` at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailure, Reason
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import CommandResult

QUESTION = "[y/N]"
UNIT_THERE = "File exists"
OTHER_MOUNT = "Invalid cross-device link"
_LINK = "failed to create hard link"
_NO_PROGRAM, _TOO_LONG, _PANIC = 127, 124, 2
_DOWNLOAD = re.compile(r"(https?://\S+/(?P<name>[\w.-]+))'")
# keadm's own word for what is set up, and the role that it is
_ROLES = {"init": "cloud", "join": "edge"}
_FILES = tr("Run `bundler site apply ROLE --from kubeedge-files`: it puts there what keadm would download.")
_RESET = tr("keadm reset is not what helps: it deletes casecret and the files that were carried here.")
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "yum -y install",
        tr(
            "keadm found no running mosquitto and wanted to install it: run `bundler site apply edge --from mosquitto`."
        ),
    ),
    ("failed to get the version of K8s master", tr("Wait until the Kubernetes API answers, then run the same again.")),
    ("failed to build config", tr("Name a kubeconfig that exists in site.yaml: kubeedge.kubeconfig.")),
    (
        "HostnameOverride: Invalid value",
        tr("Give the host a name in lower case, as site.yaml has it: letters, digits and -."),
    ),
    (
        "CloudCore is already running",
        tr("End the one that runs, then run the same command again. {reset}", reset=_RESET),
    ),
    (
        "EdgeCore is already running",
        tr("End the one that runs (`systemctl stop edgecore`), then run it again. {reset}", reset=_RESET),
    ),
    (
        f"': {UNIT_THERE}",
        tr(
            "Move /etc/systemd/system/edgecore.service away: keadm makes it as a second name of the "
            "one in /etc/kubeedge."
        ),
    ),
    (
        OTHER_MOUNT,
        tr(
            "Run the same command again: /etc/kubeedge and /etc/systemd/system are on two mounts, so "
            "the unit is copied."
        ),
    ),
    ("unable to resolve host", _FILES),
    ("wget ", _FILES),
)
_PANICS: tuple[tuple[str, str], ...] = (
    (
        "index out of range",
        tr("Write every label of this host in site.yaml as name: value; keadm wants an equals sign."),
    ),
    ("semver:", tr("Write the version in site.yaml as X.Y.Z, without a v.")),
)


def failure_of(done: CommandResult, command: str) -> ChangeFailure | None:
    """Return why a call of keadm has failed; None when it has not, as far as its status tells.

    Arguments:
        command: as it would be typed, without secrets.
    """
    if done.stopped:
        return _failed(
            command,
            tr("keadm asks, and nobody is there to answer: {stdout}", stdout=question(done.stdout)),
            _asked(done),
        )
    if done.code == 0:
        return None
    if done.code == _NO_PROGRAM:
        return _failed(command, tr("there is no keadm"), _FILES)
    if done.code == _TOO_LONG:
        return _failed(
            command,
            done.stderr.strip() or tr("keadm did not end in time"),
            tr("See whether the network drops packets."),
        )
    if done.code == _PANIC and (line := _line_with(done.stderr, "panic: ")):
        remedy = next((remedy for words, remedy in _PANICS if words in line), "")
        return _failed(
            command,
            tr("keadm has broken down: {line}", line=line),
            remedy or tr("Look at the arguments: keadm checks few."),
        )
    text = error_text(done.stderr) or error_text(done.stdout.replace("execute keadm command failed:", "Error:"))
    return _failed(command, _first_line(text) or tr("exit {code}", code=done.code), remedy_of(text))


def question(stdout: str) -> str:
    """Return what keadm asked before it was ended."""
    lines = [line.strip() for line in stdout.splitlines() if line.strip() and not line.strip().startswith(QUESTION)]
    return lines[-1] if lines else QUESTION


def error_text(stderr: str) -> str:
    """Return the whole text of the first error, without the usage that follows it."""
    _, found, text = stderr.partition("Error: ")
    return text.partition("\nUsage:")[0] if found else ""


def remedy_of(text: str) -> str:
    """Return what to do about an error of keadm's; "" where nothing better is known than to read it."""
    return next((remedy for words, remedy in _REMEDIES if words in text), "")


def only_the_link_failed(done: CommandResult) -> bool:
    """Tell whether a join did all but make the unit, which can be done for it."""
    text = error_text(done.stderr)
    return _LINK in text and (UNIT_THERE in text or OTHER_MOUNT in text)


def _asked(done: CommandResult) -> str:
    if "checksum" in done.stdout:
        return (
            tr("Put the archive and its checksum file (lower-case hex alone) side by side in /etc/kubeedge: ") + _FILES
        )
    return tr("Run the same call by hand to answer it, then this command again.")


def _first_line(text: str) -> str:
    # a list of errors begins with a lone bracket; the download's own words come lines later
    lines = [line.strip() for line in text.splitlines() if line.strip() not in ("", "[")]
    if not lines:
        return ""
    wanted = _DOWNLOAD.search(lines[0])
    if wanted and "wget" in lines[0]:
        return tr("keadm wants to download {wanted} and cannot: it is not in /etc/kubeedge", wanted=wanted["name"])
    return f"{lines[0]} {lines[1]}".removesuffix(" , err: exit status 1") if lines[0].endswith("err:") else lines[0]


def _line_with(text: str, words: str) -> str:
    return next((line for line in text.splitlines() if words in line), "")


def _failed(command: str, what: str, remedy: str) -> ChangeFailure:
    role = next((role for word, role in _ROLES.items() if word in command.split()), "cloud|edge")
    return ChangeFailure(Reason.COMMAND_FAILED, what, where=command, remedy=remedy.replace("ROLE", role))
