"""keys.json: the keys that take the place of those that a host trusts, signed by enough of the old ones. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import Digest
from bundler.model.format_version import require_format
from bundler.model.json_value import Json, dump_pretty, load_strict, unreadable_words, want_count, want_text
from bundler.translation import tr
from bundler.trust.signature_verdict import judge
from bundler.trust.trust_policy import TrustPolicy, invalid_trust
from bundler.trust.trusted_key import TrustedKey, parse_public_key
from bundler.trust.trusted_keys import distinct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.trust.trusted_keys import TrustedKeys

ROTATION_FORMAT = 1
MAX_ROTATION_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RotationDocument:
    """What a host is to trust from now on.

    Arguments:
        number: greater than that of every earlier document.
        threshold: how many of the keys have to sign a bundle.
    """

    number: int
    threshold: int
    keys: tuple[TrustedKey, ...]

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(tr("the number of a rotation is 1 or more"))
        if not 1 <= self.threshold <= len(self.keys):
            raise ValueError(
                tr("{threshold} of {count} keys cannot sign", threshold=self.threshold, count=len(self.keys))
            )
        if len(set(self.keys)) != len(self.keys):
            raise ValueError(tr("a key stands there twice"))

    def policy(self, before: TrustPolicy) -> TrustPolicy:
        """Return the policy under which these keys count; which bundles may be brought in stays as it was."""
        return TrustPolicy(self.threshold, before.names, tuple(key.id for key in self.keys), self.number)


def encode_rotation(document: RotationDocument) -> bytes:
    """Return the content of keys.json."""
    keys: list[Json] = [{"name": key.name, "key": key.pem.decode()} for key in document.keys]
    return dump_pretty(
        {"format": ROTATION_FORMAT, "number": document.number, "threshold": document.threshold, "keys": keys}
    )


def decode_rotation(data: bytes, where: str) -> RotationDocument:
    """Read keys.json. Raises SiteError (TRUST_INVALID), IntegrityError (KEY_INVALID), BundleFormatError."""
    try:
        value = load_strict(data)
        require_format(value["format"], ROTATION_FORMAT, what=tr("a rotation of keys"), where=where)
        keys = tuple(_key(item, where) for item in value["keys"])
        return RotationDocument(want_count(value["number"]), want_count(value["threshold"]), keys)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid_trust(
            where, tr("is no rotation of keys: {unreadable_words}", unreadable_words=unreadable_words(error))
        ) from error


def _key(item: Any, where: str) -> TrustedKey:
    name = want_text(item.get("name", ""))
    # it becomes a file's
    if "/" in name or name.startswith(".") or not name.isprintable():
        raise ValueError(tr("{name!r} is no name of a key", name=name))
    return parse_public_key(want_text(item["key"]).encode(), where=where, name=name)


def accepted_rotation(
    data: bytes,
    signatures: Mapping[str, bytes],
    *,
    trusted: TrustedKeys,
    policy: TrustPolicy,
    name: str,
    where: str,
) -> RotationDocument:
    """Return what a rotation document says, once it is the next one and enough of the old keys have signed it.

    Arguments:
        data, signatures, name: the document, its signatures by their names, and its own name.
        trusted, policy: what the host trusts so far.
        where: the document, for messages.

    Raises IntegrityError (ROTATION_REFUSED), and as `decode_rotation` does.
    """
    document = decode_rotation(data, where)
    if document.number <= policy.rotation:
        raise _refused(
            where,
            tr("is no newer than what this host has followed"),
            tr("Where it was followed already, nothing is left to do; another one needs a higher --number."),
            want=tr("a number above {rotation}", rotation=policy.rotation),
            got=str(document.number),
        )
    verdict = judge(trusted, Digest.sha256(data), signatures, name)
    if not trusted.keys or not verdict.holds:
        raise _refused(
            where,
            tr("is not signed by enough of the keys that this host trusts"),
            tr("Have others of them sign it too (`bundler sign`), and bring all of its .sig files."),
            want=tr("{needed} of {count}", needed=max(1, trusted.needed), count=len(trusted.keys)),
            got=", ".join(key.title for key in verdict.signers) or tr("none of them"),
            problems=verdict.others,
        )
    return document


def _refused(
    where: str, what: str, remedy: str, *, want: str, got: str, problems: tuple[str, ...] = ()
) -> IntegrityError:
    return IntegrityError(
        ErrorId.ROTATION_REFUSED,
        what,
        where=where,
        remedy=remedy,
        want=want,
        got=got,
        problems=problems,
    )


def draft_rotation(keys: tuple[TrustedKey, ...], threshold: int, number: int) -> RotationDocument:
    """Return a document for others to sign. Raises ValueError where nobody could follow it."""
    return RotationDocument(number, threshold, distinct(keys))
