"""The site's authority: made once, its certificates for every name of the registry, anew when they do not do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.errors import SiteError
from bundler.site.authority import CertificateIssued, SiteAuthority
from bundler.site.certificates import (
    CERTIFICATE_DAYS,
    certificate_problems,
    ends_soon,
    is_own_authority,
    issued,
    new_authority,
    new_key,
    summary,
)
from bundler.site.config.model import RegistrySettings
from bundler.site.registry_files import (
    AUTHORITY,
    AUTHORITY_KEY,
    REGISTRY_CERTIFICATE,
    REGISTRY_KEY,
    registry_names,
    trusted_file,
)
from bundler.site.roles import CLOUD, undone_steps
from bundler.site.step_plan import plan_site
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import SITE, applied, context, undone

STEPS = (SiteAuthority(),)
DAY_S = 86400.0
NAMES = ("master", "192.0.2.1", "198.51.100.1")


def test_a_plan_makes_nothing() -> None:
    host = MemoryHost()
    (plan,) = plan_site(context(host), STEPS)
    assert [change.title for change in plan.changes] == [
        f"make the site's authority in {AUTHORITY}",
        f"make the key {REGISTRY_KEY}",
        f"issue the certificate {REGISTRY_CERTIFICATE}",
    ]
    assert host.files == {}
    assert not any("PRIVATE" in line for change in plan.changes for line in change.lines)


def test_keys_are_the_owner_s_alone_and_a_second_time_changes_nothing() -> None:
    host = MemoryHost()
    at = context(host)
    assert len(applied(at, STEPS)) == 3
    assert (host.modes[AUTHORITY_KEY], host.modes[REGISTRY_KEY]) == (0o600, 0o600)
    assert (host.modes[AUTHORITY], host.modes[REGISTRY_CERTIFICATE]) == (0o644, 0o644)
    made = dict(host.files)
    assert applied(at, STEPS) == []
    assert host.files == made
    certificate, key = host.files[REGISTRY_CERTIFICATE], host.files[REGISTRY_KEY]
    assert summary(certificate).names == tuple(sorted(NAMES))
    assert certificate_problems(certificate, key, NAMES, host.time, authority=host.files[AUTHORITY]) == ()
    assert is_own_authority(host.files[AUTHORITY])
    assert not is_own_authority(certificate)


def test_undo_takes_the_certificate_and_leaves_the_authority_that_hosts_trust() -> None:
    host = MemoryHost()
    applied(context(host), STEPS)
    lines = undone(context(host), STEPS)
    assert any("remove it when no host trusts it any more" in line for line in lines)
    assert {AUTHORITY, AUTHORITY_KEY} <= host.files.keys()
    assert not {REGISTRY_CERTIFICATE, REGISTRY_KEY} & host.files.keys()


def test_near_its_end_or_for_other_names_it_is_issued_anew_by_the_same_authority() -> None:
    host = MemoryHost()
    applied(context(host), STEPS)
    authority, first = host.files[AUTHORITY], host.files[REGISTRY_CERTIFICATE]
    host.time += (CERTIFICATE_DAYS - 20) * DAY_S
    assert ends_soon(first, host.time)
    assert applied(context(host), STEPS) == [f"issue the certificate {REGISTRY_CERTIFICATE}"]
    second = host.files[REGISTRY_CERTIFICATE]
    assert not ends_soon(second, host.time)
    renamed = replace(SITE, registry=RegistrySettings(host="harbor.plant"))
    (plan,) = plan_site(context(host, renamed), STEPS)
    assert "(it is not for harbor.plant)" in plan.changes[0].lines[0]
    applied(context(host, renamed), STEPS)
    assert "harbor.plant" in summary(host.files[REGISTRY_CERTIFICATE]).names
    assert host.files[AUTHORITY] == authority


def test_nothing_outlives_its_authority() -> None:
    key, now = new_key(), 1_790_000_000.0
    authority = new_authority(key, "a", now)
    late = now + 7000 * DAY_S
    certificate = issued(authority, key, new_key(), ["a"], late)
    assert summary(certificate).end <= summary(authority).end


@pytest.mark.parametrize("lost", [AUTHORITY, REGISTRY_KEY, REGISTRY_CERTIFICATE])
def test_what_an_interruption_left_out_is_made_and_fits_the_rest(lost: str) -> None:
    host = MemoryHost()
    applied(context(host), STEPS)
    del host.files[lost]
    applied(context(host), STEPS)
    (plan,) = plan_site(context(host), STEPS)
    assert plan.state == "done"


def test_what_others_put_there_is_not_replaced() -> None:
    for path, what in ((AUTHORITY, "without its key"), (AUTHORITY_KEY, "no private key")):
        host = MemoryHost({path: b"theirs"})
        with pytest.raises(SiteError, match=what):
            applied(context(host), STEPS)
        assert host.files[path] == b"theirs"


def test_a_key_that_others_may_read_gets_its_mode_back() -> None:
    host = MemoryHost()
    applied(context(host), STEPS)
    host.modes[AUTHORITY_KEY] = 0o644
    before = host.files[AUTHORITY_KEY]
    applied(context(host), STEPS)
    assert (host.modes[AUTHORITY_KEY], host.files[AUTHORITY_KEY]) == (0o600, before)


def test_why_a_pair_does_not_serve() -> None:
    now = 1_790_000_000.0
    authority_key, key = new_key(), new_key()
    authority = new_authority(authority_key, "a", now)
    pair = issued(authority, authority_key, key, ["*.plant", "192.0.2.1"], now)
    assert certificate_problems(pair, key, ["harbor.plant", "HARBOR.plant", "192.0.2.1"], now) == ()
    assert certificate_problems(pair, key, ["a.b.plant", "plant", "192.0.2.9"], now) == (
        "it is not for a.b.plant, plant, 192.0.2.9",
    )
    assert certificate_problems(pair, new_key(), [], now) == ("the private key is another certificate's",)
    assert certificate_problems(None, key, [], now) == ("the certificate is missing",)
    assert certificate_problems(pair, None, [], now) == ("the private key is missing",)
    assert certificate_problems(b"x", key, [], now) == ("the certificate cannot be read: it is no PEM",)
    assert certificate_problems(pair, b"x", [], now) == ("the private key cannot be read: it is no PEM",)
    assert certificate_problems(pair, key, [], now - 9 * DAY_S)[0].startswith("it is valid from ")
    assert certificate_problems(pair, key, [], now + 9999 * DAY_S)[0].startswith("it was valid until ")
    other = new_authority(new_key(), "a", now)
    assert certificate_problems(pair, key, [], now, authority=other) == ("it was issued by another authority",)


def test_which_names_and_whom_to_trust() -> None:
    assert registry_names(SITE) == NAMES
    assert trusted_file(SITE) == AUTHORITY
    assert trusted_file(replace(SITE, registry=RegistrySettings(https=False))) == ""
    given = RegistrySettings(certificate="/c.crt", private_key="/c.key")
    assert trusted_file(replace(SITE, registry=given)) == "/c.crt"
    assert trusted_file(replace(SITE, registry=replace(given, ca_file="/ca.crt"))) == "/ca.crt"
    assert CertificateIssued("/c", "/k", ("a",)).lacking(MemoryHost()) == ("the certificate is missing",)


def test_undoing_the_whole_role_takes_back_what_was_made_beforehand_and_one_step_does_not() -> None:
    host = MemoryHost()
    at = context(host)
    applied(at, STEPS)
    assert undone(at, undone_steps("cloud", CLOUD[:3])) == []
    lines = undone(at, undone_steps("cloud", CLOUD))
    assert f"remove {REGISTRY_CERTIFICATE}" in lines
    assert any(line.startswith("leave as it is: the site's authority") for line in lines)
    assert sorted(host.files) == [AUTHORITY, AUTHORITY_KEY]
