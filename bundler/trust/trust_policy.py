"""policy.json among the trusted keys: how many have to sign, for which bundles, which keys count. Pure.

A person may have written it, so that a key which is misspelt is an error, and all that is wrong is said at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SiteError
from bundler.model.json_value import Json, dump_pretty, load_strict, unreadable_words, want_count, want_text
from bundler.model.signature_name import KEY_ID_CHARACTERS
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POLICY_FORMAT = 1
POLICY_KEYS = ("format", "threshold", "names", "keys", "rotation")
MAX_POLICY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """What a policy says.

    Arguments:
        threshold: how many of the keys have to have signed.
        names: shell globs of the names of bundles that may be brought in; empty for all.
        keys: ids of the keys that count; empty for all that lie there.
        rotation: the number of the last rotation document that was followed; 0 for none.
    """

    threshold: int = 1
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    rotation: int = 0


def encode_policy(policy: TrustPolicy) -> bytes:
    """Return the content of policy.json."""
    value: dict[str, Json] = {"format": POLICY_FORMAT, "threshold": policy.threshold}
    value |= {"names": list(policy.names)} if policy.names else {}
    value |= {"keys": list(policy.keys)} if policy.keys else {}
    value |= {"rotation": policy.rotation} if policy.rotation else {}
    return dump_pretty(value)


def decode_policy(data: bytes, where: str) -> TrustPolicy:
    """Read policy.json. Raises SiteError (TRUST_INVALID)."""
    try:
        value = load_strict(data)
        if not isinstance(value, dict):
            raise TypeError(tr("it is no JSON object"))
        problems = [tr("{key!r} is no key of a policy", key=key) for key in value if key not in POLICY_KEYS]
        if value.get("format", POLICY_FORMAT) != POLICY_FORMAT:
            problems.append(
                tr(
                    "format {value!r} is another one than {policy_format}",
                    value=value["format"],
                    policy_format=POLICY_FORMAT,
                )
            )
        policy = TrustPolicy(
            threshold=_taken(value, "threshold", want_count, 1, problems),
            names=_taken(value, "names", _texts, (), problems),
            keys=_taken(value, "keys", _key_ids, (), problems),
            rotation=_taken(value, "rotation", want_count, 0, problems),
        )
    except (ValueError, TypeError) as error:
        raise invalid_trust(
            where, tr("cannot be read: {unreadable_words}", unreadable_words=unreadable_words(error))
        ) from error
    if policy.threshold < 1:
        problems.append(tr("'threshold' is less than 1"))
    if problems:
        raise invalid_trust(where, tr("is no trust policy"), problems)
    return policy


def _taken(value: dict[str, Any], key: str, read: Callable[[Any], Any], default: Any, problems: list[str]) -> Any:
    """Return what stands under a key; the default where that is nothing, or what it should not be."""
    try:
        return read(value[key]) if key in value else default
    except (ValueError, TypeError) as error:
        problems.append(f"{key!r}: {error}")
        return default


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(tr("{value!r} is no list", value=value))
    return tuple(map(want_text, value))


def _key_ids(value: Any) -> tuple[str, ...]:
    ids = _texts(value)
    for key_id in ids:
        if len(key_id) != KEY_ID_CHARACTERS or not set(key_id) <= set("0123456789abcdef"):
            raise ValueError(
                tr(
                    "{key_id!r} is no id of a key: those are {key_id_characters} hex digits",
                    key_id=key_id,
                    key_id_characters=KEY_ID_CHARACTERS,
                )
            )
    if len(set(ids)) != len(ids):
        raise ValueError(tr("an id stands there twice"))
    return ids


def invalid_trust(where: str, what: str, problems: Sequence[str] = ()) -> SiteError:
    """Return the error for trusted keys, their policy, or what was seen, of which no sense can be made."""
    return SiteError(
        ErrorId.TRUST_INVALID,
        what,
        where=where,
        remedy=tr("Mend that file; docs/formats.md says what stands in it. Until then nothing is trusted."),
        problems=problems,
        step="trust",
    )
