"""What a step of the guide is: what has to be so before it, what it changes, and how it is told to have worked.

A step is an object without state; all that it looks at is in its `StepContext`. It never changes the host itself: it
names changes (`bundler.host.changes`), which are shown, recorded, made and undone for it, one after the other, each
asked first whether it is done. So that what is interrupted is finished by the same command.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.model.client_config import RepoSnippet
    from bundler.site.config.model import SiteConfig, SiteHost

Weight = Literal["unmet", "fault", "pending", "note"]


@dataclass(frozen=True, slots=True)
class StepFinding:
    """Something that a person should know of a step.

    Arguments:
        id: stable words for programs, such as `port-taken`.
        what: one sentence without the place.
        where: the file, port or command that it concerns; may be empty.
        remedy: what to do next, one imperative sentence; may be empty for notes.
        weight: `unmet` keeps the step from being applied; `fault` means that it is not as it should be; `pending` waits
            for the operator's word; a `note` is neither.
    """

    id: str
    what: str
    where: str = ""
    remedy: str = ""
    weight: Weight = "unmet"

    @property
    def text(self) -> str:
        """Where, what, and what to do."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f"\n  {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class SiteBundle:
    """The unpacked bundle that a step takes files from.

    Arguments:
        root: the bundle's directory; "" where there is none.
        digests: path below it -> SHA-256 in hex, of the files that belong there.
        name, release, id: the bundle's own.
        repositories: its yum repositories.
        machines: what it is for, as `uname -m` names them.
    """

    root: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    release: str = ""
    repositories: tuple[RepoSnippet, ...] = ()
    machines: tuple[str, ...] = ()
    id: str = ""

    def path(self, name: str) -> str:
        """Return where a file of the bundle lies."""
        return f"{self.root}/{name}"

    def having(self, name: str) -> bool:
        """Tell whether the bundle lists a file."""
        return name in self.digests


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What the operator allows beside what the site says.

    Arguments:
        restart_docker: restart the engine even where that stops a running control plane.
        force: replace files that somebody else changed since.
        token_file: holds a join token, where no invitation was taken; "" for none.
    """

    restart_docker: bool = False
    force: bool = False
    token_file: str = ""


@dataclass(frozen=True, slots=True)
class StepContext:
    """All that a step may look at.

    Arguments:
        this: the host that is worked on, as the site describes it.
        programs: the commands `bundler` and `mirror` of this very tool, as words to begin a command line with.
    """

    host: Host
    config: SiteConfig
    this: SiteHost
    bundle: SiteBundle = SiteBundle()
    options: ApplyOptions = ApplyOptions()
    programs: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"bundler": ("bundler",), "mirror": ("mirror",)}
    )


class Step(ABC):
    """One step of the guide. Subclasses give it a name, a title and its changes."""

    name: ClassVar[str]
    title: ClassVar[str]

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Return what has to be mended before this step can be applied, as far as it can be seen now; notes as well."""
        del at
        return ()

    @abstractmethod
    def changes(self, at: StepContext) -> Sequence[Change]:
        """Return everything that has to be so, in order, done already or not."""

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Return what is not as it should be although no change is left to do."""
        del at
        return ()
