"""What the guide's own commands leave on a host, recognised and explained. Nothing of it is removed unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.json_value import SETTINGS_DECODER, decode_one
from bundler.site.kubeedge_places import KUBEEDGE
from bundler.site.step import StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.host.interface import Host

_DAEMON = "/etc/docker/daemon.json"
_TOP = f"{KUBEEDGE}/top.so"
_MOVED_TO = "/media"
_REPOSITORIES = "/etc/yum.repos.d"
# the third is the guide's own spelling
_GUIDE_REPOSITORIES = ("local.repo", "http.repo", "dcoker.repo")
_VSFTPD_FILE = "/etc/vsftpd/vsftpd.conf"
_PUBLISHED = "anon_root=/opt"


def leftovers(at: StepContext) -> Iterator[StepFinding]:
    """Yield a note for each trace of the guide that was followed by hand; some of it only root may read."""
    if not at.host.is_root():
        return
    yield from _two_objects(at.host)
    if at.host.exists(_TOP):
        what = tr("is the guide's, and of no more use: certgen.sh gets the addresses from site.yaml")
        yield _note("top-so", what, _TOP, tr("Remove it: `rm {top}`.", top=_TOP))
    yield from _repository_files(at.host)
    yield from _vsftpd(at.host)


def _two_objects(host: Host) -> Iterator[StepFinding]:
    text = (host.read(_DAEMON) or b"").decode(errors="replace").strip()
    try:
        _, end = decode_one(text, 0, SETTINGS_DECODER)
    except ValueError:
        # the step daemon-json says what is wrong with it
        return
    if text[end:].startswith("{"):
        what = tr(
            "holds two objects, one after the other, as the guide's `cat >>` makes it: no engine starts with that"
        )
        yield _note(
            "daemon-json-twice", what, _DAEMON, tr("Keep one of them; the step daemon-json adds what is missing.")
        )


def _repository_files(host: Host) -> Iterator[StepFinding]:
    moved = [name for name in host.names(_MOVED_TO) if name.endswith(".repo")]
    if moved:
        what = tr(
            "holds {moved}, which the guide moves away; ours needs none of them out of the way", moved=", ".join(moved)
        )
        yield _note(
            "repositories-moved",
            what,
            _MOVED_TO,
            tr(
                "Put them back: `mv {moved_to}/*.repo {repositories}/`.", moved_to=_MOVED_TO, repositories=_REPOSITORIES
            ),
        )
    for name in _GUIDE_REPOSITORIES:
        content = host.read(f"{_REPOSITORIES}/{name}")
        if content is not None and b"gpgcheck=0" in content.replace(b" ", b""):
            what = tr("is the guide's: always on, and without a look at signatures")
            yield _note(
                "guide-repository", what, f"{_REPOSITORIES}/{name}", tr("Remove it; the step repo has its own.")
            )


def _vsftpd(host: Host) -> Iterator[StepFinding]:
    running = any(process.name == "vsftpd" and process.state != "Z" for process in host.processes())
    published = _PUBLISHED in (host.read(_VSFTPD_FILE) or b"").decode(errors="replace").split()
    if not running and not published:
        return
    what = tr("has vsftpd publish all of /opt, Harbor's password in harbor.yml too") if published else tr("vsftpd runs")
    remedy = tr("The mirror takes its place: `systemctl disable --now vsftpd`.")
    yield _note("vsftpd", what, _VSFTPD_FILE if published else "", remedy)


def _note(error_id: str, what: str, where: str, remedy: str) -> StepFinding:
    return StepFinding(error_id, what, where, remedy, "note")
