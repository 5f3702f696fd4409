"""The bundle's images in the site's registry, by `bundler push-images`: every platform, and nothing twice."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bundler.host.changes import SameRecord, failed_command
from bundler.host.failure import ChangeFailedError
from bundler.host.journal import Record
from bundler.model.json_value import load_foreign
from bundler.site.passwords import password, password_findings
from bundler.site.pull_login import MakePullLogin
from bundler.site.registry_files import PULL_LOGIN, trusted_file
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

_IMAGES = "k8simage/index.json"
# a hundred gigabytes to a slow disk
PUSHED_WITHIN_S = 6 * 3600.0
_WAIT = ("--wait", "300")
_PRESENT = "present"
_LISTED = ("--dry-run", "--json")


class PushedImages(Step):
    """The guide's load.sh and push.sh, which go through the engine and send one platform of each image."""

    name = "images"
    title = tr("the bundle's images in the site's registry")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Say why nothing is pushed, or what keeps the password from being used."""
        if at.config.registry.kind == "mirror":
            what = tr("the mirror's registry serves the bundle's images as they lie there: nothing is pushed")
            return (StepFinding("registry-is-mirror", what, weight="note"),)
        if not at.bundle.having(_IMAGES):
            return (StepFinding("no-images", tr("the bundle has no images"), at.bundle.root, weight="note"),)
        return password_findings(at)

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One push; then, where not everybody may pull from Harbor, the login that edges pull with."""
        registry = at.config.registry
        if registry.kind == "mirror" or not at.bundle.having(_IMAGES):
            return ()
        push, secret = push_command(at), password(at)
        changes: list[Change] = [PushImages(push, at.config.registry_address, _place(at), secret)]
        if registry.kind == "harbor" and not registry.public:
            robot = (*at.programs["bundler"], "robot", "create", *_connection(at), "-o", PULL_LOGIN)
            changes.append(MakePullLogin(robot, partial(_projects, (*push, *_LISTED), secret), secret))
        return tuple(changes)


def push_command(at: StepContext) -> tuple[str, ...]:
    """Return the command line; the password comes on stdin, or where there is no file from the environment."""
    registry = at.config.registry
    words = [*at.programs["bundler"], "push-images", "--root", at.bundle.root, "--via", "registry", *_connection(at)]
    words += ["--project", registry.project] if registry.project else []
    return (*words, "--public" if registry.public else "--private")


def _connection(at: StepContext) -> list[str]:
    """Return the options that say which registry, how it is reached and who we are."""
    registry = at.config.registry
    words = ["--registry", at.config.registry_address]
    if not at.config.registry_https:
        words.append("--plain-http")
    elif authority := trusted_file(at.config):
        words += ["--ca-file", authority]
    if registry.username and registry.password_file:
        words += ["--username", registry.username]
        words += ["--password-stdin"] if password(at) is not None else []
    return words


def _projects(listing: tuple[str, ...], secret: bytes | None, host: Host) -> list[str]:
    """Return the projects that the bundle's images are in; ChangeFailedError when they cannot be listed."""
    listed = host.run(listing, stdin=secret or b"")
    try:
        answer: Any = load_foreign(listed.stdout)
        return sorted({str(image["project"]) for image in answer["images"] if image["project"]})
    except (ValueError, KeyError, TypeError) as error:
        raise ChangeFailedError(failed_command(listing, listed)) from error


def _place(at: StepContext) -> tuple[str, int]:
    standard = 443 if at.config.registry_https else 80
    return at.config.registry_host.strip("[]"), at.config.registry.port or standard


@dataclass(frozen=True, slots=True)
class PushImages(SameRecord):
    """Images that are to be in a registry. Undoing leaves them there: nodes pull them.

    Arguments:
        command: what pushes them; with `--dry-run` it says what is there.
        registry: as image names have it.
        place: where the registry listens.
        secret: for the command's stdin.
    """

    command: tuple[str, ...]
    registry: str
    place: tuple[str, int]
    secret: bytes | None = field(repr=False)

    @property
    def title(self) -> str:
        """Where they go."""
        return tr("push the bundle's images to {registry}", registry=self.registry)

    def describe(self, host: Host) -> str:
        """Return the command as it would be typed."""
        del host
        source = tr("    # the password comes on stdin") if self.secret is not None else ""
        return f"{self.title}\n    {shlex.join((*self.command, *_WAIT))}{source}"

    def is_done(self, host: Host) -> bool:
        """Ask the registry for every image, once somebody listens there."""
        if not host.listens(*self.place):
            return False
        done = host.run((*self.command, *_LISTED), stdin=self.secret or b"")
        try:
            answer: Any = load_foreign(done.stdout)
            return done.code == 0 and all(image["outcome"] == _PRESENT for image in answer["images"])
        except (ValueError, KeyError, TypeError):
            return False

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Push what is missing."""
        del ours, force
        command = (*self.command, *_WAIT)
        done = host.run(command, stdin=self.secret or b"", within_s=PUSHED_WITHIN_S, shows_progress=True)
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        return ()

    def record_anywhere(self) -> Record:
        """Return what stays, and how it goes."""
        return Record(stays=f"images stay in {self.registry} (delete them there)")
