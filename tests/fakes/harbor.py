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

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Note it."""
        self.created.append(f"{name} {public} {quota_bytes}")
        return True
