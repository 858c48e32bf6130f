"""What is in force beside what was released: read as it was written, and kept through releases."""

from __future__ import annotations

import json

import pytest

from gateway.core.access import Access, Key, UsagePlan
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteService,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.diff import Difference, differences
from gateway.core.errors import Refused
from gateway.core.features import StageFeatures, features_plain, read_stage_features
from gateway.core.journal import UnknownChange, change_plain, change_shown, read_change
from gateway.core.overlays import (
    NO_OVERLAY,
    Cors,
    Overlay,
    Window,
    overlay_plain,
    read_overlay,
)
from gateway.core.plain import stage_plain
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY, Edition, Stage

CORS = Cors(("https://a",), ("GET",), ("X-A",), ("X-B",), credentials=True, age=600)
OVERLAY = Overlay((Window(5), Window(2, 3600, "address")), ("10.0.0.0/8",), ("10.0.0.7",), CORS)


@pytest.mark.parametrize("overlay", [OVERLAY, NO_OVERLAY, Overlay(cors=Cors())])
def test_an_overlay_is_read_as_it_was_written(overlay: Overlay) -> None:
    """Through the text that a journal keeps, alone and in the features of a stage."""
    assert read_overlay(json.loads(json.dumps(overlay_plain(overlay)))) == overlay
    features = StageFeatures(overlays={"a": overlay})
    assert read_stage_features(features_plain(features)) == features
    change = Release("shop", "dev", (), {}, features)
    assert read_change(json.loads(json.dumps(change_plain(change)))) == change


WINDOW = {"requests": 1, "seconds": 1, "per": "api"}


@pytest.mark.parametrize(
    "raw",
    [
        1,
        {"windows": {}},
        {"windows": [{**WINDOW, "requests": 0}]},
        {"windows": [{**WINDOW, "requests": 1.0}]},
        {"windows": [{**WINDOW, "seconds": 0}]},
        {"windows": [{**WINDOW, "per": "app"}]},
        {"windows": [{**WINDOW, "more": 1}]},
        {"windows": [{"requests": 1}]},
        {"windows": []},
        {"allow": ["10.0.0.7/8"]},
        {"cors": {}},
        {"cors": []},
        {"cors": {"origins": ["*"], "credentials": 1, "age": None}},
        {"cors": {"origins": "*", "credentials": True, "age": None}},
        {"cors": {"origins": ["*"], "credentials": True, "age": "1"}},
        {"throttle": 1},
    ],
)
def test_what_is_no_overlay_is_refused(raw: object) -> None:
    """Whatever a journal holds."""
    entry = change_plain(Release("shop", "dev", ()))
    with pytest.raises(UnknownChange):
        read_change({**entry, "features": {"overlays": {"a": raw}}})
    with pytest.raises(UnknownChange):
        read_change({**entry, "features": {"overlays": [raw]}})


def test_a_plan_opens_stages_and_single_apis() -> None:
    """And nothing else."""
    plan = UsagePlan(("a",), ("dev",), apis=("release/one",))
    opened = [(s, a) for s in ("dev", "release") for a in ("one", "two") if plan.opens(s, a)]
    assert opened == [("dev", "one"), ("dev", "two"), ("release", "one")]
    access = Access({"a": Key("AKIDa", "secret")}, {"small": plan})
    change = PutService("shop", "Shop", (), access)
    assert read_change(json.loads(json.dumps(change_plain(change)))) == change


def test_the_secret_of_a_resource_is_kept_and_not_shown() -> None:
    """Neither in what was asked for nor in what was altered."""
    change = PutResource("keys", "AKIDa", {"name": "a", "secret": "s3cret"})
    assert change_plain(change)["content"] == {"name": "a", "secret": "s3cret"}
    hidden = {"name": "a", "secret": "***"}
    assert change_shown(Batch((change,)))["changes"] == [
        {"kind": "put-resource", "group": "keys", "id": "AKIDa", "content": hidden}
    ]
    assert change_shown(PutResource("keys", "a", None))["content"] is None
    after = apply(EMPTY, change)
    path = ("resources", "keys", "AKIDa")
    assert differences(EMPTY, after) == (Difference(path, None, hidden),)
    assert differences(after, EMPTY) == (Difference(path, hidden, None),)
    other = apply(after, PutResource("keys", "AKIDa", {"name": "a", "secret": "other"}))
    (seen,) = differences(after, other)
    assert (seen.before, seen.after) == (hidden, hidden), "that it is another one is told"


def test_a_resource_comes_and_goes() -> None:
    """A checkpoint brings it back; of an empty group nothing is left."""
    state = apply(EMPTY, PutResource("plans", "small", {"rate": 1}))
    state = apply(state, PutResource("plans", "large", {"rate": 9}))
    assert apply(EMPTY, rebuild(state)).resources == state.resources
    state = apply(state, PutResource("plans", "small", None))
    assert state.resources == {"plans": {"large": {"rate": 9}}}
    state = apply(state, PutResource("plans", "none", None))
    assert apply(state, PutResource("plans", "large", None)).resources == {}


def test_a_release_has_a_name_if_it_was_given_one() -> None:
    """A checkpoint brings it back, and another release has another one or none."""
    edition = Edition("20261124", "the first")
    state = apply(apply(EMPTY, PutService("shop", "Shop")), Release("shop", "dev", ()))
    named = apply(state, Release("shop", "dev", (), edition=edition))
    assert named.services["shop"].stages["dev"].edition == edition
    assert apply(EMPTY, rebuild(named)).services == named.services
    (seen,) = differences(state, named)
    assert seen.path == ("services", "shop", "stages", "dev")
    said = {"version": "20261124", "description": "the first"}
    assert (seen.before, seen.after) == (
        {"variables": {}, "apis": []},
        {"variables": {}, "apis": [], "edition": said},
    )
    assert stage_plain(Stage("dev", ())) == seen.before


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ([], "unknown-service"),
        ([PutService("shop", "Shop"), Release("shop", "dev", ())], "service-in-use"),
    ],
    ids=["none", "released"],
)
def test_a_service_that_cannot_go_stays(before: list[Change], code: str) -> None:
    """With the reason."""
    state = apply(EMPTY, Batch(tuple(before)))
    with pytest.raises(Refused) as caught:
        apply(state, DeleteService("shop"))
    assert caught.value.code == code


def test_a_service_goes() -> None:
    """When it is off every stage; others stay."""
    state = apply(EMPTY, Batch((PutService("shop", "Shop"), PutService("other", "Other"))))
    state = apply(state, Release("shop", "dev", ()))
    state = apply(apply(state, Unrelease("shop", "dev")), DeleteService("shop"))
    assert list(state.services) == ["other"]
