"""What was seen of one subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.site.step_plan import finding_value

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from bundler.site.step import StepFinding


@dataclass(frozen=True, slots=True)
class Examined:
    """What was seen of one subject, and what is wrong with it.

    Arguments:
        subject: one word, such as `ports`.
        facts: name and value of each thing that was looked at, in order.
    """

    subject: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[StepFinding, ...] = ()

    @property
    def value(self) -> dict[str, Json]:
        """As the JSON answer has it."""
        return {
            "subject": self.subject,
            "facts": dict(self.facts),
            "findings": [finding_value(finding) for finding in self.findings],
        }
