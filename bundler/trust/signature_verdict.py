"""Whose signatures of a text hold, and whether they are enough. Pure: bytes in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from bundler.errors import ErrorId, IntegrityError
from bundler.model.signature_name import MAX_SIGNATURES, signer_named
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.digest import Digest
    from bundler.trust.trusted_key import TrustedKey
    from bundler.trust.trusted_keys import TrustedKeys


# unchecked: nobody is trusted; false: it bears the name of a trusted key that has not made it; foreign: it bears that
# of another key; unknown: it bears no name, and no trusted key has made it
Standing = Literal["holds", "unchecked", "false", "foreign", "unknown"]


@dataclass(frozen=True, slots=True)
class JudgedSignature:
    """What one signature is worth.

    Arguments:
        name: of its file.
        key: the trusted key that has made it, or whose name it bears.
    """

    name: str
    standing: Standing
    key: TrustedKey | None = None

    @property
    def sentence(self) -> str:
        """The same for a person."""
        name, title = self.name, self.key.title if self.key else ""
        match self.standing:
            case "holds":
                return tr("{name}: is by {title}", name=name, title=title)
            case "unchecked":
                return tr("{name}: was not checked", name=name)
            case "false":
                return tr("{name}: is no signature of this by {title}, whose name it bears", name=name, title=title)
            case "foreign":
                return tr("{name}: is by a key that is not trusted here", name=name)
            case "unknown":
                return tr("{name}: is no signature of this by any key that is trusted here", name=name)
        assert_never(self.standing)


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What the signatures of one text are worth to whoever trusts some keys.

    Arguments:
        signatures: all that were looked at, by their names.
        needed: how many trusted keys have to have signed; 0 where nobody asks.
        trusted: how many there are.
    """

    signatures: tuple[JudgedSignature, ...] = ()
    needed: int = 0
    trusted: int = 0

    @property
    def signers(self) -> tuple[TrustedKey, ...]:
        """The trusted keys that have signed it, each once."""
        return tuple({one.key.der: one.key for one in self.signatures if one.standing == "holds" and one.key}.values())

    @property
    def others(self) -> tuple[str, ...]:
        """A line for each signature that counts for nothing, with the reason."""
        return tuple(one.sentence for one in self.signatures if one.standing != "holds")

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
    names = sorted(signatures)[:MAX_SIGNATURES]
    judged = (_judged(trusted, digest, name, signatures[name], signer_named(name, signed)) for name in names)
    return SignatureVerdict(tuple(judged), trusted.needed, len(trusted.keys))


def _judged(trusted: TrustedKeys, digest: Digest, name: str, signature: bytes, key_id: str | None) -> JudgedSignature:
    asked = [key for key in trusted.keys if key_id in ("", key.id)]
    found = next((key for key in asked if key.verifies(digest, signature)), None)
    if found is not None:
        return JudgedSignature(name, "holds", found)
    if not trusted.keys:
        return JudgedSignature(name, "unchecked")
    if not key_id:
        return JudgedSignature(name, "unknown")
    return JudgedSignature(name, "false", asked[0]) if asked else JudgedSignature(name, "foreign")


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
