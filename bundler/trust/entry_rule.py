"""What is asked of a bundle that is brought in, where this host has a policy: its name, and that it is no step back.

Going back to a bundle that is here already brings nothing in, and is not asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.translation import tr
from bundler.trust.seen_file import SEEN_FILE, read_seen, remember_release

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.trust.admission import Admission
    from bundler.trust.seen_releases import SeenBundle
    from bundler.trust.signature_verdict import SignatureVerdict


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The rule of one command.

    Arguments:
        admission: whose signatures are asked for, and whether this host has a policy: without one there is no rule.
        older: whether an older release is taken too.
        seen_file: where it is kept which ones were brought in.
    """

    admission: Admission
    older: bool = False
    seen_file: Path = SEEN_FILE

    def require(self, name: str, release: str, where: str) -> str:
        """Refuse a bundle that may not be brought in; return what a person should know, or "".

        Arguments:
            where: the bundle, for messages.

        Raises IntegrityError (BUNDLE_NAME_REFUSED, BUNDLE_OLDER), SiteError (TRUST_INVALID), StorageError.
        """
        self.admission.require_name(name, where)
        if not self.admission.trusted.has_policy or self.older:
            return ""
        seen = read_seen(self.seen_file)
        if seen is None:
            return tr(
                "{seen_file} is not there: no earlier release is known, and any is taken", seen_file=self.seen_file
            )
        seen.require_not_older(name, release, where)
        return ""

    def record(self, verdict: SignatureVerdict, name: str, bundle: SeenBundle) -> None:
        """Keep that a bundle was brought in; one that was only let pass would keep out those that are signed.

        Raises SiteError (TRUST_INVALID), StorageError.
        """
        if self.admission.trusted.has_policy and verdict.signers and verdict.holds:
            remember_release(name, bundle, self.seen_file)
