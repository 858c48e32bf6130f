"""Keys and usage plans as values: kept with their secrets, shown without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.core.access import NO_ACCESS, Access, Key, UsagePlan, access_shown
from gateway.core.apply import apply
from gateway.core.changes import Batch, PutService
from gateway.core.diff import differences
from gateway.core.journal import UnknownChange, change_plain, change_shown, read_change
from gateway.core.plain import service_plain
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY

ACCESS = Access(
    {"partner": Key("AKIDpartner", "s3cret")},
    {"gold": UsagePlan(("partner",), ("release",), 10, 1000), "all": UsagePlan((), ())},
)
PLAIN = {
    "keys": {"partner": {"id": "AKIDpartner", "secret": "s3cret"}},
    "plans": {
        "gold": {"keys": ["partner"], "stages": ["release"], "throttle": 10, "quota": 1000},
        "all": {"keys": [], "stages": []},
    },
}


@pytest.mark.parametrize("access", [None, NO_ACCESS, ACCESS], ids=["none", "no keys", "keys"])
def test_access_is_read_as_it_was_written(access: Access | None) -> None:
    """None is not the same as no keys."""
    change = PutService("shop", "Shop", (), access)
    plain = json.loads(json.dumps(change_plain(change)))
    assert ("access" in plain) is (access is not None)
    assert read_change(plain) == change


def test_a_service_keeps_its_keys_until_others_are_named() -> None:
    """A new name or other APIs say nothing of them; no keys do."""
    state = apply(EMPTY, PutService("shop", "Shop", (), ACCESS))
    state = apply(state, PutService("shop", "Store"))
    assert state.services["shop"].access == ACCESS
    state = apply(state, PutService("shop", "Store", (), NO_ACCESS))
    assert state.services["shop"].access == NO_ACCESS


@pytest.mark.parametrize("access", [None, ACCESS], ids=["no keys", "keys"])
def test_a_checkpoint_brings_keys_back(access: Access | None) -> None:
    """With their secrets."""
    state = apply(EMPTY, PutService("shop", "Shop", (), access))
    assert apply(EMPTY, rebuild(state)).services == state.services


def test_secrets_are_not_shown() -> None:
    """Neither in a snapshot, nor in a difference, nor in a log that prints a key."""
    before = apply(EMPTY, PutService("shop", "Shop"))
    after = apply(before, PutService("shop", "Shop", (), ACCESS))
    [found] = differences(before, after)
    shown = {**PLAIN, "keys": {"partner": {"id": "AKIDpartner", "secret": "***"}}}
    assert (found.path, found.before, found.after) == (("services", "shop", "access"), None, shown)
    assert access_shown(NO_ACCESS) == {}
    assert "s3cret" not in json.dumps(service_plain(after.services["shop"]))
    assert "s3cret" not in repr(ACCESS)


def test_a_change_is_shown_without_secrets() -> None:
    """However deep it lies; whatever has none is shown as it is kept."""
    silent = PutService("shop", "Shop")
    change = Batch((silent, Batch((PutService("shop", "Shop", (), ACCESS),))))
    shown = json.dumps(change_shown(change))
    assert "s3cret" in json.dumps(change_plain(change))
    assert shown == json.dumps(change_plain(change)).replace("s3cret", "***")


def test_another_secret_is_a_difference() -> None:
    """Even if it is not shown."""
    other = replace(ACCESS, keys={"partner": Key("AKIDpartner", "other")})
    before = apply(EMPTY, PutService("shop", "Shop", (), ACCESS))
    assert len(differences(before, apply(before, PutService("shop", "Shop", (), other)))) == 1


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        {"keys": {}},
        {**PLAIN, "apps": {}},
        {"keys": [], "plans": {}},
        {"keys": {"a": "AKID"}, "plans": {}},
        {"keys": {"a": {"id": "AKID"}}, "plans": {}},
        {"keys": {"a": {"id": "AKID", "secret": 1}}, "plans": {}},
        {"keys": {"a": {"id": "AKID", "secret": "x", "note": ""}}, "plans": {}},
        {"keys": {}, "plans": {"a": {"keys": []}}},
        {"keys": {}, "plans": {"a": {"keys": "partner", "stages": []}}},
        {"keys": {}, "plans": {"a": {"keys": [1], "stages": []}}},
        {"keys": {}, "plans": {"a": {"keys": [], "stages": [], "throttle": 0}}},
        {"keys": {}, "plans": {"a": {"keys": [], "stages": [], "throttle": None}}},
        {"keys": {}, "plans": {"a": {"keys": [], "stages": [], "quota": 1.5}}},
        {"keys": {}, "plans": {"a": {"keys": [], "stages": [], "quota": 0}}},
    ],
)
def test_what_is_no_access_is_refused(raw: Mapping[str, object] | None) -> None:
    """Whatever a journal holds."""
    with pytest.raises(UnknownChange):
        read_change({**change_plain(PutService("shop", "Shop")), "access": raw})
