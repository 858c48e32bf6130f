"""The story of a grayscale release, in the order in which it happens, against a running gateway.

A service is released to three stages once. From then on only aliases move: code is tried on dev,
by one user on prepub, and then shifted to everybody on release, until it fails and everybody is
back on the old version with the next request. No step after the first two touches the API or a
stage, and nothing is ever restarted. It is told twice: by REST, and by command line.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from gateway.verdict import Outcome, judge

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
prepub = { version = "$LATEST" }
release = { version = "$LATEST" }

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "prepub"
[stages.release]
alias = "release"
"""
BOB = "invoke.headers.User exact Bob"
READY = re.compile(r"gateway ready data=(\S+) control=(\S+) revision=1\n")


class Hands(Protocol):
    """What a developer does to a running gateway."""

    def publish(self) -> str:
        """Freeze the editable version into the next number."""

    def point(
        self, alias: str, version: str, weights: Mapping[str, float], rules: Mapping[str, str]
    ) -> None:
        """Point an alias somewhere else; rules are conditions with their versions."""

    def roll_back(self, alias: str) -> None:
        """Back to where everybody was before."""


class Rest:
    """By REST."""

    def __init__(self, shop: Shop) -> None:
        self.client = shop.steering
        self.path = "/api/functions/orders"

    def publish(self) -> str:
        answer = self.client.post(f"{self.path}/versions", json={"description": "by REST"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["version"])

    def point(
        self, alias: str, version: str, weights: Mapping[str, float], rules: Mapping[str, str]
    ) -> None:
        listed = [{"when": when, "version": goal} for when, goal in rules.items()]
        body = {"version": version, "weights": weights, "rules": listed}
        answer = self.client.put(f"{self.path}/aliases/{alias}", json=body)
        assert answer.status_code == 200, answer.text

    def roll_back(self, alias: str) -> None:
        answer = self.client.post(f"{self.path}/aliases/{alias}/rollback")
        assert answer.status_code == 200, answer.text


class CommandLine:
    """By command line, one process for each command."""

    def __init__(self, shop: Shop) -> None:
        self.environment = {**os.environ, "GATEWAY_CONTROL_URL": shop.control}

    def run(self, *words: str) -> str:
        command = [sys.executable, "-m", "gateway", *words]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def publish(self) -> str:
        told = self.run("publish", "orders", "--description", "by command line", "--json")
        return str(json.loads(told)["version"])

    def point(
        self, alias: str, version: str, weights: Mapping[str, float], rules: Mapping[str, str]
    ) -> None:
        words = ["alias", "set", "orders", alias, "--version", version]
        for number, weight in weights.items():
            words += ["--weight", f"{number}={weight}"]
        for when, goal in rules.items():
            words += ["--rule", f"{when} -> {goal}"]
        self.run(*words)

    def roll_back(self, alias: str) -> None:
        self.run("rollback", "orders", alias)


class Shop:
    """A running gateway, the folder that it serves, and its callers."""

    def __init__(self, folder: Path, data: str, control: str) -> None:
        self.folder = folder
        self.control = control
        self.callers = httpx.Client(base_url=data, trust_env=False)
        self.steering = httpx.Client(base_url=control, trust_env=False)

    def get(self, stage: str, user: str = "Alice") -> httpx.Response:
        """What a user gets from a stage."""
        return self.callers.get(f"/{stage}/orders/42", headers={"User": user})

    def versions(self, stage: str, count: int) -> Counter[str]:
        """Which versions answer a number of requests."""
        answers = [self.get(stage) for _ in range(count)]
        return Counter(answer.headers["X-Gateway-Version"] for answer in answers)

    def seen(self, stage: str) -> dict[str, tuple[int, int]]:
        """What the gateway counted on a stage: requests and errors by version."""
        rows = self.steering.get("/api/metrics").json()["versions"]
        return {r["version"]: (r["requests"], r["errors"]) for r in rows if r["stage"] == stage}

    def services(self) -> object:
        """The API and its stages as they are now."""
        return self.steering.get("/api/snapshot").json()["services"]


def edit(folder: Path, text: str, *, broken: bool = False) -> None:
    """Write the editable version."""
    latest = folder / "functions" / "orders" / "latest"
    latest.mkdir(parents=True, exist_ok=True)
    answer = "1 / 0" if broken else '{"statusCode": 200, "body": TEXT}'
    (latest / "index.py").write_text(
        f"TEXT = {text!r}\nasync def main_handler(event, context):\n    return {answer}\n"
    )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A gateway in a process of its own, with its state in a file."""
    edit(tmp_path, "idea 0")
    (tmp_path / "stages.toml").write_text(STAGES)
    free = ["--port", "0", "--control-port", "0", "--seed", "20"]
    command = [sys.executable, "-m", "gateway", "serve", *free]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = READY.fullmatch(process.stdout.readline())
        assert ready is not None
        shop = Shop(tmp_path, ready[1], ready[2])
        with shop.callers, shop.steering:
            yield shop
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.sockets
@pytest.mark.parametrize("by", [Rest, CommandLine])
def test_a_grayscale_release_from_the_first_idea_to_the_roll_back(
    shop: Shop, by: type[Rest | CommandLine]
) -> None:
    """The whole story."""
    hands: Hands = by(shop)

    # 1, 2. Aliases release and prepub exist, the API is released to three stages.
    for stage in ("dev", "prepub", "release"):
        answer = shop.get(stage)
        assert (answer.status_code, answer.text) == (200, "idea 0")
        assert answer.headers["X-Gateway-Version"] == "$LATEST"
    released = shop.services()

    # 3. Four versions are published; nothing moves by that.
    for number in ("1", "2", "3", "4"):
        edit(shop.folder, f"version {number}", broken=number == "2")
        assert hands.publish() == number
    assert shop.versions("release", 5) == {"$LATEST": 5}

    # 4. Development goes on with the editable code; release starts from version 1.
    hands.point("$DEFAULT", "$LATEST", {}, {})
    hands.point("release", "1", {}, {})
    assert shop.get("dev").headers["X-Gateway-Version"] == "$LATEST"
    assert shop.get("release").text == "version 1"

    # 5. Testers get version 3 on prepub.
    hands.point("prepub", "3", {}, {})
    assert shop.get("prepub").text == "version 3"

    # 6. Bob alone gets version 4 there.
    hands.point("prepub", "3", {}, {BOB: "4"})
    bob, alice = shop.get("prepub", "Bob"), shop.get("prepub", "Alice")
    assert (bob.text, bob.headers["X-Gateway-Reason"]) == ("version 4", "rule:1")
    assert (alice.text, alice.headers["X-Gateway-Reason"]) == ("version 3", "main")
    assert shop.get("release", "Bob").text == "version 1"

    # 7. Release shifts from 1 to 2, step by step, and both versions are watched.
    requests = 800
    for weight in (0.1, 0.5, 1):
        hands.point("release", "1", {"2": weight}, {})
        counts = shop.versions("release", requests)
        expected = {"1": 1 - weight, "2": float(weight)}
        assert judge(counts, expected).outcome is not Outcome.FAILED, (weight, counts)
    requests_of_2, errors_of_2 = shop.seen("release")["2"]
    assert shop.seen("release")["1"][1] == 0
    assert errors_of_2 == requests_of_2 > requests

    # 8. Version 2 fails: everybody is back on 1 with the very next request.
    failing = shop.get("release")
    assert (failing.status_code, failing.json()["statusCode"]) == (430, 430)
    hands.roll_back("release")
    assert shop.versions("release", 100) == {"1": 100}

    # No step after the first two touched the API or a stage.
    assert shop.services() == released


@pytest.mark.sockets
def test_a_roll_back_wins_over_stickiness_on_the_next_request(shop: Shop) -> None:
    """A user who stuck to the new version does not stay behind."""
    hands = Rest(shop)
    for number in ("1", "2"):
        edit(shop.folder, f"version {number}")
        hands.publish()
    hands.point("release", "1", {}, {})
    sticky = {
        "version": "1",
        "weights": {"2": 0.5},
        "split": "sticky",
        "sticky_by": "invoke.headers.User",
    }
    shop.steering.put("/api/functions/orders/aliases/release", json=sticky).raise_for_status()
    users = [f"user {number}" for number in range(200)]
    first = {user: shop.get("release", user).text for user in users}
    again = {user: shop.get("release", user).text for user in users}
    assert first == again
    assert set(first.values()) == {"version 1", "version 2"}
    hands.roll_back("release")
    assert {shop.get("release", user).text for user in users} == {"version 1"}
