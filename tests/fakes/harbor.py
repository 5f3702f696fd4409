"""A `Harbor` in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from bundler.net.interface import HarborHealth


@dataclass
class FakeHarbor:
    """Answers health in turn, the last one for ever; `projects` is name -> whether it is there, None for unknown."""

    healths: list[HarborHealth] = field(default_factory=lambda: [HarborHealth(healthy=True)])
    projects: dict[str, bool | None] = field(default_factory=dict)
    is_a_harbor: bool = True
    new_quota_bytes: int | None = None
    created: list[str] = field(default_factory=list)

    def is_harbor(self) -> bool:
        """Return what the test wants."""
        return self.is_a_harbor

    def health(self) -> HarborHealth:
        """The next one."""
        return self.healths.pop(0) if len(self.healths) > 1 else self.healths[0]

    def has_project(self, name: str) -> bool | None:
        """Look it up; unknown names are missing."""
        return self.projects.get(name, False)

    def quota_bytes(self, name: str) -> int | None:
        """What a test wants new projects to have, or what was asked for."""
        if self.new_quota_bytes is not None:
            return self.new_quota_bytes
        return next(int(line.split()[2]) for line in self.created if line.split()[0] == name)

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Note it."""
        self.created.append(f"{name} {public} {quota_bytes}")
        return True
