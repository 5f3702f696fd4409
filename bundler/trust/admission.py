"""What a bundle has to be to be used on this host, as somebody has asked for it on one command line. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.translation import tr
from bundler.trust.signature_verdict import judge, require_signed
from bundler.trust.trusted_keys import NOBODY, TrustedKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.digest import Digest
    from bundler.trust.signature_verdict import SignatureVerdict


@dataclass(frozen=True, slots=True)
class Admission:
    """Whose signatures are asked for.

    Arguments:
        trusted: whom this host believes.
        unsigned: whether what they have not signed is taken all the same.
    """

    trusted: TrustedKeys = NOBODY
    unsigned: bool = False

    @property
    def asks(self) -> bool:
        """Whether there is anything that a bundle could lack."""
        return bool(self.trusted.keys) and not self.unsigned

    def verdict(
        self, digest: Digest, signatures: Mapping[str, bytes], *, signed: str, where: str, needed: int | None = None
    ) -> SignatureVerdict:
        """Return whose signatures hold, once they are enough.

        Arguments:
            digest, signatures, signed: see `judge`.
            where: whose signatures they are, for messages.
            needed: how many are enough here; as many as the host asks for when left out.

        Raises IntegrityError (SIGNATURE_MISSING, SIGNATURE_UNTRUSTED).
        """
        verdict = judge(self.trusted, digest, signatures, signed)
        if not self.unsigned and (needed is None or len(verdict.signers) < needed):
            require_signed(verdict, self.trusted, where=where, what=signed)
        return verdict

    def require_name(self, name: str, where: str) -> None:
        """Raise IntegrityError (BUNDLE_NAME_REFUSED) for a bundle of a name that this host does not take."""
        names = self.trusted.names
        if self.unsigned or not names or any(fnmatchcase(name, glob) for glob in names):
            return
        raise IntegrityError(
            ErrorId.BUNDLE_NAME_REFUSED,
            tr("is no bundle for this host, as its trust policy says"),
            where=where,
            remedy=tr("Bring the bundle that is meant for this site, or add its name to `names` of policy.json."),
            want=tr(" or ").join(names),
            got=name,
        )


ANYTHING = Admission()
