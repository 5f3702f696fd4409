"""Which architectures an entry may choose packages of: what libsolv says, and without `multilib` one word size."""

from __future__ import annotations

import pytest
import solv

from bundler.kinds.rpms.entry import PLATFORMS
from bundler.rpm.solve.arches import ARCHES_WITHOUT_MULTILIB, installable_arches

OTHERS = ("x86_64_v2", "i586", "i486", "i386", "armv6hl", "armv7hnl", "armv7l", "ppc64", "s390", "src", "noarch")


@pytest.mark.parametrize("arch", PLATFORMS)
def test_with_multilib_it_is_what_libsolv_installs(arch: str) -> None:
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    pool.setarch(arch)
    repo = pool.add_repo("all")
    for known in {*PLATFORMS, *OTHERS}:
        package = repo.add_solvable()
        package.name, package.evr, package.arch = known, "1-1", known
    installable = {package.arch for package in repo.solvables_iter() if package.installable()}
    assert installable_arches(arch, multilib=True) == installable
    narrow = ARCHES_WITHOUT_MULTILIB.get(arch)
    assert installable_arches(arch, multilib=False) == (narrow or installable)
