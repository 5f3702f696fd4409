"""Whom a host believes: keys, how many of them have to agree, and for which bundles. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.model.json_value import Json, dump_canonical, load_strict
from bundler.translation import tr
from bundler.trust.trusted_key import TrustedKey

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The keys that count, each once.

    Arguments:
        keys: empty where no bundle has to be signed.
        threshold: how many of them have to have signed.
        names: shell globs of the names of bundles that may be brought in; empty for all.
        has_policy: whether a policy is there, and with it the rule that no older release is brought in.
        where: where they are from, for messages.
    """

    keys: tuple[TrustedKey, ...] = ()
    threshold: int = 1
    names: tuple[str, ...] = ()
    has_policy: bool = False
    where: str = ""

    def __post_init__(self) -> None:
        if len(set(self.keys)) != len(self.keys):
            raise ValueError(tr("a key counts once"))
        if not 1 <= self.threshold <= max(1, len(self.keys)):
            raise ValueError(
                tr("{threshold} of {count} keys cannot have signed", threshold=self.threshold, count=len(self.keys))
            )

    @property
    def needed(self) -> int:
        """How many signatures a bundle needs; 0 where nobody asks for any."""
        return self.threshold if self.keys else 0

    @property
    def ids(self) -> tuple[str, ...]:
        """The keys' ids."""
        return tuple(key.id for key in self.keys)

    def with_keys(self, keys: Iterable[TrustedKey], where: str) -> TrustedKeys:
        """Return the same with other keys, one of which is enough: those that somebody has named by hand."""
        return replace(self, keys=distinct(keys), threshold=1, where=where)

    def encode(self) -> bytes:
        """Return it as bytes, for another process of the same program."""
        keys: list[Json] = [{"name": key.name, "der": key.der.hex()} for key in self.keys]
        return dump_canonical(
            {
                "keys": keys,
                "threshold": self.threshold,
                "names": list(self.names),
                "has_policy": self.has_policy,
                "where": self.where,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> TrustedKeys:
        """Return what was encoded."""
        value = load_strict(data)
        keys = tuple(TrustedKey(bytes.fromhex(key["der"]), key["name"]) for key in value["keys"])
        return cls(keys, value["threshold"], tuple(value["names"]), value["has_policy"], value["where"])


def distinct(keys: Iterable[TrustedKey]) -> tuple[TrustedKey, ...]:
    """Return each key once, under the first of its names."""
    return tuple({key.der: key for key in reversed([*keys])}.values())[::-1]


NOBODY = TrustedKeys()
