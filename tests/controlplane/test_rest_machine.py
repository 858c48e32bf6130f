"""REST against a model, with restarts in between: what was acknowledged is there, nothing else is.

The model is a few dictionaries. Whatever the machine does, the gateway answers as the model would,
its revision counts the changes that altered something, and after a restart everything is as it was.
"""

from __future__ import annotations

import asyncio
import copy
import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.app import Gateway, Setup

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
release = { version = "1" }

[[apis]]
method = "GET"
path = "/orders"
function = "orders"

[stages.release]
alias = "release"
"""
CODE = "def main_handler(event, context):\n    return 1\n"
NAMES = st.sampled_from(["a", "b", "release", "$DEFAULT"])
NUMBERS = st.sampled_from(["1", "2", "3", "4", "$LATEST"])
SHARES = st.sampled_from([0, 0.1, 0.5, 1])
ORDERS = "/api/functions/orders"

Routing = dict[str, Any]


def routing(version: str, weights: dict[str, float] | None = None, words: str = "") -> Routing:
    """An alias as the gateway tells it."""
    return {
        "version": version,
        "weights": weights or {},
        "rules": [],
        "split": "random",
        "sticky_by": None,
        "description": words,
    }


class Steering(RuleBasedStateMachine):
    """One function of one gateway, steered by REST."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="gateway-machine-"))
        for folder in ("latest", "v1"):
            index = self.root / "functions" / "orders" / folder / "index.py"
            index.parent.mkdir(parents=True)
            index.write_text(CODE)
        (self.root / "stages.toml").write_text(STAGES)
        self.runner = asyncio.Runner()
        self.open()
        self.revision = 1
        self.last = 1
        self.versions = {"1", "$LATEST"}
        self.aliases = {"$DEFAULT": routing("$LATEST"), "release": routing("1")}
        self.moves: dict[str, list[tuple[int, Routing | None]]] = {
            name: [(1, copy.deepcopy(alias))] for name, alias in self.aliases.items()
        }

    def open(self) -> None:
        setup = Setup(self.root / "stages.toml", self.root / "state.db", seed=1)
        self.gateway = self.runner.run(Gateway.open(setup))
        transport = httpx.ASGITransport(self.gateway.control)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.gateway.close())

    def teardown(self) -> None:
        self.close()
        self.runner.close()
        shutil.rmtree(self.root)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, json=body, headers=headers))

    def accepted(self, answer: httpx.Response, *, changed: bool, status: int = 200) -> None:
        """A write went through; it made a revision if it altered something."""
        self.revision += changed
        assert answer.status_code == status, answer.text
        assert answer.headers["etag"] == f'"{self.revision}"'
        told = answer.json()
        assert (told["revision"], told["changed"]) == (self.revision, changed)

    def refused(self, answer: httpx.Response, status: int, code: str) -> None:
        """A write was refused, for the reason that the model has."""
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    def moved(self, name: str, alias: Routing | None) -> None:
        """Note where an alias leads from now on."""
        self.moves.setdefault(name, []).insert(0, (self.revision, copy.deepcopy(alias)))
        if alias is None:
            del self.aliases[name]
        else:
            self.aliases[name] = copy.deepcopy(alias)

    @rule(name=NAMES, version=NUMBERS, other=NUMBERS, share=SHARES, words=st.sampled_from("xy"))
    def put_alias(self, name: str, version: str, other: str, share: float, words: str) -> None:
        """Point an alias somewhere."""
        weights = {} if other == version else {other: share}
        answer = self.ask(
            "PUT",
            f"{ORDERS}/aliases/{name}",
            {"version": version, "weights": weights, "description": words},
        )
        if not {version, *weights} <= self.versions:
            self.refused(answer, 422, "unknown-version")
            return
        alias = routing(version, weights, words)
        new = name not in self.aliases
        changed = self.aliases.get(name) != alias
        self.accepted(answer, changed=changed, status=201 if new else 200)
        if changed:
            self.moved(name, alias)

    @rule(name=NAMES)
    def delete_alias(self, name: str) -> None:
        """Remove an alias that nobody needs."""
        answer = self.ask("DELETE", f"{ORDERS}/aliases/{name}")
        if name not in self.aliases:
            self.refused(answer, 404, "unknown-alias")
        elif name == "$DEFAULT":
            self.refused(answer, 409, "alias-fixed")
        elif name == "release":
            self.refused(answer, 409, "alias-in-use")
        else:
            self.accepted(answer, changed=True)
            self.moved(name, None)

    @rule()
    def publish(self) -> None:
        """Freeze `$LATEST`."""
        answer = self.ask("POST", f"{ORDERS}/versions", {})
        self.accepted(answer, changed=True, status=201)
        self.last += 1
        assert answer.json()["version"] == str(self.last)
        self.versions.add(str(self.last))

    @rule(number=NUMBERS)
    def delete_version(self, number: str) -> None:
        """Remove a version that nobody names."""
        answer = self.ask("DELETE", f"{ORDERS}/versions/{number}")
        named = {v for a in self.aliases.values() for v in (a["version"], *a["weights"])}
        if number not in self.versions:
            self.refused(answer, 404, "unknown-version")
        elif number == "$LATEST":
            self.refused(answer, 409, "version-fixed")
        elif number in named:
            self.refused(answer, 409, "version-in-use")
        else:
            self.accepted(answer, changed=True)
            self.versions.remove(number)

    @rule(name=NAMES, back=st.integers(0, 4))
    def roll_back_to_a_revision(self, name: str, back: int) -> None:
        """Bring back a state that the alias had."""
        if name not in self.aliases:
            return
        revision = max(1, self.revision - back)
        answer = self.ask("POST", f"{ORDERS}/aliases/{name}/rollback", {"to_revision": revision})
        state = next((alias for at, alias in self.moves[name] if at <= revision), None)
        if state is None:
            self.refused(answer, 404, "unknown-revision")
        elif not {state["version"], *state["weights"]} <= self.versions:
            self.refused(answer, 422, "unknown-version")
        else:
            changed = self.aliases[name] != state
            self.accepted(answer, changed=changed)
            if changed:
                self.moved(name, state)

    @rule(behind=st.integers(1, 3), name=NAMES)
    def write_with_a_stale_revision(self, behind: int, name: str) -> None:
        """Whoever looked at an older state is told so, and nothing happens."""
        stale = f'"{self.revision - behind}"' if self.revision > behind else '"999"'
        headers = {"If-Match": stale}
        answer = self.ask("PUT", f"{ORDERS}/aliases/{name}", {"version": "$LATEST"}, **headers)
        self.refused(answer, 412, "stale-revision")
        assert answer.json()["revision"] == self.revision

    @precondition(lambda self: self.revision > 1)
    @rule()
    def restart(self) -> None:
        """Everything is as it was: the file has not changed, so it has no say."""
        self.close()
        self.open()

    @invariant()
    def the_gateway_is_where_the_model_is(self) -> None:
        """Function, aliases, histories and revision."""
        function = self.ask("GET", ORDERS)
        assert function.headers["etag"] == f'"{self.revision}"'
        told = function.json()
        assert {version["version"] for version in told["versions"]} == self.versions
        assert told["aliases"] == self.aliases
        for name in self.aliases:
            moves = self.ask("GET", f"{ORDERS}/aliases/{name}/history").json()["moves"]
            assert [(m["revision"], m["after"]) for m in moves] == self.moves[name]


Steering.TestCase.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
TestSteering = Steering.TestCase
