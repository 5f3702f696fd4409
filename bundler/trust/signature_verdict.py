"""Whose signatures of a text hold, and whether they are enough. Pure: bytes in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.model.signature_name import MAX_SIGNATURES, signer_named
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.digest import Digest
    from bundler.trust.trusted_key import TrustedKey
    from bundler.trust.trusted_keys import TrustedKeys


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What the signatures of one text are worth to whoever trusts some keys.

    Arguments:
        signers: the trusted keys that have signed it, each once.
        needed: how many of them have to; 0 where nobody asks.
        trusted: how many there are.
        others: a line for each signature that counts for nothing, with the reason.
    """

    signers: tuple[TrustedKey, ...] = ()
    needed: int = 0
    trusted: int = 0
    others: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether enough of them have signed."""
        return len(self.signers) >= self.needed

    @property
    def sentence(self) -> str:
        """The same for a person."""
        others = len(self.others)
        if self.signers:
            rest = tr("; further signatures that count for nothing here: {others}", others=others) if others else ""
            return tr("signed by {listed}{rest}", listed=", ".join(key.title for key in self.signers), rest=rest)
        if not others:
            return tr("not signed")
        if not self.trusted:
            return tr("signed, and not checked: no key is trusted here")
        return tr("signed by nobody who is trusted here")


NOT_SIGNED = SignatureVerdict()


def judge(trusted: TrustedKeys, digest: Digest, signatures: Mapping[str, bytes], signed: str) -> SignatureVerdict:
    """Tell whose signatures of a text hold.

    Arguments:
        digest: the text's SHA-256.
        signatures: the signatures that were found, by their names; a rest beyond MAX_SIGNATURES is not looked at.
        signed: the name of the signed file, after which signatures are named.
    """
    signers: dict[bytes, TrustedKey] = {}
    others: list[str] = []
    for name in sorted(signatures)[:MAX_SIGNATURES]:
        key_id = signer_named(name, signed)
        asked = [key for key in trusted.keys if key_id in ("", key.id)]
        found = next((key for key in asked if key.verifies(digest, signatures[name])), None)
        if found is not None:
            signers[found.der] = found
        elif not trusted.keys:
            others.append(tr("{name}: was not checked", name=name))
        elif key_id and asked:
            others.append(
                tr("{name}: is no signature of this by {title}, whose name it bears", name=name, title=asked[0].title)
            )
        elif key_id:
            others.append(tr("{name}: is by a key that is not trusted here", name=name))
        else:
            others.append(tr("{name}: is no signature of this by any key that is trusted here", name=name))
    return SignatureVerdict(tuple(signers.values()), trusted.needed, len(trusted.keys), tuple(others))


def require_signed(verdict: SignatureVerdict, trusted: TrustedKeys, *, where: str, what: str) -> None:
    """Raise IntegrityError (SIGNATURE_MISSING, SIGNATURE_UNTRUSTED) unless enough trusted keys have signed.

    Arguments:
        where: whose signatures they are, for messages.
        what: the signed file.
    """
    if verdict.holds:
        return
    names = ", ".join(key.title for key in trusted.keys)
    want = (
        tr("{needed} of {trusted}: {names}", needed=verdict.needed, trusted=verdict.trusted, names=names)
        if verdict.trusted > 1
        else names
    )
    if not verdict.signers and not verdict.others:
        raise IntegrityError(
            ErrorId.SIGNATURE_MISSING,
            tr("{what} is not signed, and {where} wants that", what=what, where=trusted.where),
            where=where,
            remedy=tr("Get it from whoever signs it, with its .sig files; --allow-unsigned takes it as it is."),
            want=want,
            got=tr("no signature"),
        )
    raise IntegrityError(
        ErrorId.SIGNATURE_UNTRUSTED,
        tr("{what} is not signed by those whom {where} trusts", what=what, where=trusted.where),
        where=where,
        remedy=tr(
            "Do not use it before you know why: it may be damaged, another bundle's, or made by somebody else. With "
            "all of its .sig files beside it, or the right --key, run the command again."
        ),
        problems=verdict.others,
        want=want,
        got=", ".join(key.title for key in verdict.signers) or tr("none of them"),
    )
