"""A `Harbor` in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from bundler.net.interface import Health


@dataclass
class FakeHarbor:
    """Answers health in turn, the last one for ever; `projects` is name -> whether it is there, None for unknown."""

    healths: list[Health] = field(default_factory=lambda: [Health(healthy=True)])
    projects: dict[str, bool | None] = field(default_factory=dict)
    is_harbor: bool = True
    created: list[str] = field(default_factory=list)

    def recognised(self) -> bool:
        """As it was told."""
        return self.is_harbor

    def health(self) -> Health:
        """The next one."""
        return self.healths.pop(0) if len(self.healths) > 1 else self.healths[0]

    def has_project(self, name: str) -> bool | None:
        """Look it up; unknown names are missing."""
        return self.projects.get(name, False)

    def create_project(self, name: str, *, public: bool, quota_bytes: int) -> bool:
        """Note it."""
        self.created.append(f"{name} {public} {quota_bytes}")
        return True
