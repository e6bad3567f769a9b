"""Faults of the sites: each one method call away, all cleared by one."""

from datetime import UTC

import pytest

from madoguchi.card import CertificateAuthority
from madoguchi.nation import errors
from madoguchi.nation.errors import LogoutFailed, NationError, SiteDown
from madoguchi.nation.ground import Ground
from madoguchi.nation.site import Site
from madoguchi.nation.world import Behaviour, Nation
from nation.town import START, Town


@pytest.mark.parametrize("name", ["points", "accounts"])
def test_a_site_that_is_down_refuses_everything_and_loses_nothing(town: Town, name: str) -> None:
    site: Site = getattr(town.nation, name)
    cookie = town.login(site, "A")
    site.fault_down()
    with pytest.raises(SiteDown):
        site.open(None)
    with pytest.raises(SiteDown):
        site.logout(cookie)
    town.nation.clear_faults()
    assert site.me(cookie).person == "A"


@pytest.mark.parametrize("name", ["points", "accounts"])
def test_a_slow_site_is_slow_and_nothing_else(town: Town, name: str) -> None:
    site: Site = getattr(town.nation, name)
    site.fault_slow(2.5)
    cookie = site.open(None).cookie
    site.logout(cookie)
    assert town.slept == [2.5, 2.5]
    site.clear_faults()
    site.open(None)
    assert town.slept == [2.5, 2.5]


@pytest.mark.parametrize("name", ["points", "accounts"])
def test_a_log_out_that_fails_says_so_and_leaves_the_session_alive(town: Town, name: str) -> None:
    site: Site = getattr(town.nation, name)
    cookie = town.login(site, "A")
    site.fault_logout_fails()
    with pytest.raises(LogoutFailed):
        site.logout(cookie)
    assert site.open(cookie).person == "A"
    site.clear_faults()
    site.logout(cookie)
    assert site.open(cookie).person is None


def test_the_status_service_down_at_the_last_step_writes_nothing(town: Town) -> None:
    cookie = town.login(town.nation.points, "A")
    town.nation.certificates.fault_down()
    with pytest.raises(errors.CertificateStatusDown):
        town.apply(cookie, "A")
    assert town.reasons == [("certificate_status_down", "A")]
    assert town.nation.registrations == []


def test_every_refusal_has_its_own_name_and_tells_what_to_do() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, NationError)]
    plain = [kind for kind in kinds if isinstance(kind.sentence, str) and kind is not NationError]
    assert len(plain) > 30
    for kind in plain:
        assert kind.sentence.endswith("。"), kind
        assert kind.code.isidentifier(), kind
        assert kind.code.islower(), kind
    families = {kind.code: kind for kind in plain if "code" in vars(kind)}
    assert len(families) == len([kind for kind in plain if "code" in vars(kind)]), "two refusals share a code"


def test_a_clock_without_an_offset_is_refused() -> None:
    ground = Ground(clock=lambda: START.replace(tzinfo=None), behaviour=Behaviour.Y2022)
    with pytest.raises(ValueError, match="aware"):
        ground.now()


def test_times_are_told_in_japan() -> None:
    nation = Nation(
        clock=lambda: START.astimezone(UTC), behaviour=Behaviour.Y2022, authority=CertificateAuthority.create(START)
    )
    assert nation.ground.now().isoformat() == "2022-08-17T09:00:00+09:00"
