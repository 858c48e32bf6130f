"""What a change altered, in words."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cli.changed import change_words, difference_words, part_name, stage_words
from gateway.cli.threeway import kept_words

ALIAS: dict[str, Any] = {
    "version": "1",
    "weights": {},
    "rules": [],
    "split": "random",
    "sticky_by": None,
    "description": "",
}
VERSION: dict[str, Any] = {
    "version": "$LATEST",
    "description": "",
    "code": "/a",
    "handler": "index.main_handler",
    "timeout": 3,
    "memory": 128,
    "concurrency": 1,
    "isolation": "auto",
    "type": "event",
    "environment": {"A": "1", "B": "2"},
}
RELEASE = ["functions", "orders", "aliases", "release"]
LATEST = ["functions", "orders", "versions", "$LATEST"]
FOUR = ["functions", "orders", "versions", "4"]
STAGE = ["services", "service-default", "stages", "dev"]
ROLLOUT = ["resources", "rollouts", "orders-release-7"]
RUNNING: dict[str, Any] = {
    "plan": {"steps": [0.1, 1.0], "to": "2"},
    "base": {"version": "1"},
    "status": "running",
    "step": 0,
    "reason": "",
}
API = {"id": "api-1", "method": "ANY", "path": "/", "function": "orders", "qualifier": "release"}
MOCK = {"id": "api-2", "method": "ANY", "path": "/x", "mock": {"body": ""}}


def difference(path: list[str], before: object, after: object) -> dict[str, object]:
    """One altered part."""
    return {"path": path, "before": before, "after": after}


@pytest.mark.parametrize(
    ("path", "before", "after", "words"),
    [
        pytest.param(
            RELEASE,
            ALIAS,
            {**ALIAS, "weights": {"2": 0.1}},
            "orders/release  1 90 %, 2 10 %   (was 1)",
            id="an alias moves",
        ),
        pytest.param(RELEASE, None, ALIAS, "orders/release  1   (new)", id="a new alias"),
        pytest.param(RELEASE, ALIAS, None, "orders/release  deleted   (was 1)", id="alias deleted"),
        pytest.param(
            ROLLOUT,
            None,
            RUNNING,
            "rollout orders-release-7  running, step 1 of 2 (10 %)   (new, 1 -> 2)",
            id="a rollout begins",
        ),
        pytest.param(
            ROLLOUT,
            RUNNING,
            {**RUNNING, "status": "rolled-back", "reason": "it failed\nand more"},
            "rollout orders-release-7  rolled-back, step 1 of 2 (10 %); it failed ...",
            id="a rollout ends",
        ),
        pytest.param(
            ROLLOUT,
            RUNNING,
            {**RUNNING, "step": 1},
            "rollout orders-release-7  running, step 2 of 2 (100 %)",
            id="a rollout goes on",
        ),
        pytest.param(
            ROLLOUT, RUNNING, None, "rollout orders-release-7  forgotten", id="a rollout is gone"
        ),
        pytest.param(
            STAGE,
            {"apis": [API], "variables": {}, "throttle": 5},
            {"apis": [API], "variables": {}, "throttle": 9},
            "stage dev  orders@release, throttle 9   (was orders@release, throttle 5)",
            id="who may call a stage",
        ),
        pytest.param(
            STAGE,
            {"apis": [API], "variables": {}, "edition": {"version": "1", "description": ""}},
            {
                "apis": [API],
                "variables": {},
                "overlays": {"one": {"deny": ["::1"]}, "two": {}},
                "edition": {"version": "2", "description": "other"},
            },
            "stage dev  orders@release, overlays of one, two, edition 2"
            "   (was orders@release, edition 1)",
            id="what clients of the cloud set",
        ),
        pytest.param(
            RELEASE,
            ALIAS,
            {**ALIAS, "description": "stable\x1b[2J"},
            "orders/release  1   (description 'stable\\x1b[2J')",
            id="only words about an alias",
        ),
        pytest.param(
            RELEASE,
            {**ALIAS, "weights": {"2": 0.5}, "split": "sticky", "sticky_by": "invoke.query.a"},
            {**ALIAS, "weights": {"2": 0.5}, "split": "sticky", "sticky_by": "invoke.query.b"},
            "orders/release  1 50 %, 2 50 % (sticky)   (sticky_by 'invoke.query.b')",
            id="only the sticky key",
        ),
        pytest.param(LATEST, None, VERSION, "orders version $LATEST  created", id="a new function"),
        pytest.param(
            FOUR, None, {**VERSION, "version": "4"}, "orders version 4  published", id="published"
        ),
        pytest.param(
            FOUR,
            None,
            {**VERSION, "version": "4", "description": "tax"},
            "orders version 4  published   ('tax')",
            id="published with words",
        ),
        pytest.param(FOUR, VERSION, None, "orders version 4  deleted", id="version deleted"),
        pytest.param(
            LATEST,
            VERSION,
            {**VERSION, "code": "/b", "timeout": 10, "handler": "a.b"},
            "orders version $LATEST  new code, handler 'a.b' (was 'index.main_handler'),"
            " timeout 10 (was 3)",
            id="code and configuration",
        ),
        pytest.param(
            LATEST,
            VERSION,
            {**VERSION, "environment": {"A": "secret", "C": "3"}},
            "orders version $LATEST  environment A set, environment C set, environment B removed",
            id="an environment, without its values",
        ),
        pytest.param(
            STAGE,
            {"variables": {}, "apis": [API, MOCK]},
            {"variables": {"region": "local"}, "apis": [{**API, "qualifier": "2"}, MOCK]},
            "stage dev  orders@2, region=local   (was orders@release)",
            id="a stage",
        ),
        pytest.param(
            ["services", "s", "apis"],
            [API],
            [API, MOCK],
            "apis of service s  2 APIs   (was 1 API)",
            id="apis",
        ),
        pytest.param(
            ["services", "s", "name"],
            None,
            "shop",
            "name of service s  'shop'   (new)",
            id="a name",
        ),
    ],
)
def test_a_part_is_told_in_one_line(
    path: list[str], before: object, after: object, words: str
) -> None:
    """What it is now, and what it was; no control character of anybody's text."""
    assert difference_words([difference(path, before, after)]) == words


def test_one_part_shares_its_line_with_the_revision() -> None:
    """Several parts are followed by it."""
    one = difference(RELEASE, ALIAS, {**ALIAS, "version": "2"})
    two = difference(FOUR, VERSION, None)
    done = {"revision": 7, "changed": True, "differences": [one]}
    assert change_words(done) == "orders/release  2   (was 1)   revision 7"
    assert change_words({**done, "differences": [one, two]}) == (
        "orders/release    2   (was 1)\norders version 4  deleted\nrevision 7"
    )


def test_nothing_is_told_as_nothing() -> None:
    """With the revision that still is the newest."""
    done = {"revision": 7, "changed": False, "differences": []}
    assert change_words(done) == "nothing changed   revision 7"


def test_a_stage_without_functions_says_so() -> None:
    """A mock has no qualifier."""
    assert stage_words({"variables": {}, "apis": [MOCK]}) == "no function"


def test_a_part_that_nobody_knows_is_told_by_its_path() -> None:
    """A newer gateway may have more."""
    assert part_name(["plugins", "x"]) == "plugins/x"
    assert difference_words([difference(["plugins", "x"], 1, 2)]) == "plugins/x  2   (was 1)"


@pytest.mark.parametrize(
    ("declared", "live", "words"),
    [
        (ALIAS, {**ALIAS, "version": "2"}, "kept: orders/release  2   (the file says 1)"),
        (None, ALIAS, "kept: orders/release  1   (not in the file)"),
        (ALIAS, None, "kept: orders/release  deleted   (the file says 1)"),
    ],
    ids=["moved", "made", "deleted"],
)
def test_what_survives_a_file_is_told_beside_what_the_file_says(
    declared: object, live: object, words: str
) -> None:
    """A line each."""
    part = {"path": RELEASE, "declared": declared, "live": live}
    assert list(kept_words([part])) == [words]
