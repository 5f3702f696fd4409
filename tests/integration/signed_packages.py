"""Packages in every shape that signatures have, and the verdicts on them: ours and real rpm's."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.errors import IntegrityError
from bundler.rpm.signing.checking import check_package
from bundler.rpm.signing.keys import PublicKey, read_keys
from tests.integration.rpm_packages import SigningHome, SigningKey, SpecLike, build_rpms, el7_shape, sign, signing_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHERE = "test.yaml:7: test"
PAYLOAD = b"a payload that is long enough to be cut" * 200


@dataclass(frozen=True, slots=True)
class SignedPackages:
    """Keys and packages that all tests here read and none changes.

    Arguments:
        key: RSA, signs nearly everything. dsa: DSA. edwards: Ed25519. stranger: an RSA key nobody accepts.
        modern: signed over its header by `key`. unsigned: the same, not signed. el7: EL7's shape, signed by `key`.
    """

    directory: Path
    home: SigningHome
    key: SigningKey
    dsa: SigningKey
    edwards: SigningKey
    stranger: SigningKey
    unsigned: Path
    modern: Path
    el7: Path

    def copy(self, source: Path, target: Path) -> Path:
        """Copy one of the packages (to sign or to spoil it); return the target."""
        target.write_bytes(source.read_bytes())
        return target


@contextmanager
def signed_packages(directory: Path) -> Iterator[SignedPackages]:
    """Yield keys and packages; `directory` must be there."""
    with signing_home() as home:
        spec = SpecLike("app", "2.1", "3", epoch=1, files={"/usr/share/app/content": PAYLOAD}, compression="w6.xzdio")
        (unsigned,) = build_rpms(directory, [spec])
        built = SignedPackages(
            directory,
            home,
            home.make_key("Vendor <vendor@example.org>"),
            home.make_key("Vendor (DSA)", algorithm="dsa2048"),
            home.make_key("Vendor (Ed25519)", algorithm="ed25519"),
            home.make_key("Stranger"),
            unsigned,
            modern=directory / "modern.rpm",
            el7=directory / "el7.rpm",
        )
        sign([built.copy(unsigned, built.modern)], built.key)
        el7_shape(built.copy(unsigned, built.el7), built.key)
        yield built


def keys_of(*keys: SigningKey) -> tuple[PublicKey, ...]:
    """Return the public keys, as if read from one file."""
    return read_keys(b"".join(key.public for key in keys), "RPM-GPG-KEY-test")


def rpm_accepts(package: Path, *keys: SigningKey) -> bool:
    """Ask real rpm whether digests and signatures of a package are good; a package without signature is not."""
    database = package.with_name(f"{package.name}.db")
    for key in keys:
        key_file = package.with_name(f"{package.name}.{key.key_id}.asc")
        key_file.write_bytes(key.public)
        subprocess.run(["rpmkeys", "--dbpath", str(database), "--import", str(key_file)], check=True)
    done = subprocess.run(
        ["rpmkeys", "--dbpath", str(database), "-K", str(package)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return done.returncode == 0 and "signatures OK" in done.stdout


def refusal(package: Path, *keys: SigningKey) -> IntegrityError:
    """Return why we refuse a package; real rpm has to refuse it too."""
    with pytest.raises(IntegrityError) as caught:
        check_package(package, keys_of(*keys), where=WHERE)
    assert caught.value.where == WHERE
    assert not rpm_accepts(package, *keys)
    return caught.value
