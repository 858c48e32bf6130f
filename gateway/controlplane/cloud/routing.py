"""The cloud's RoutingConfig and the gateway's routes: one additional version, by weight or by rule.

The cloud's form is the narrower one. What the gateway can do beyond it is told as far as the form
goes: several weights and rules are listed all; how a split draws has no place in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.errors import BAD_ROUTING, BAD_WEIGHTS, Codes, fail
from gateway.controlplane.cloud.requests import Routing, VersionMatch, VersionWeight
from gateway.core.alias import Route, parse_weight
from gateway.core.rules import Rule, parse_rule

_NONE: Final = Routing()


def route_of(main: str, given: Routing | None) -> Route:
    """Where an alias leads.

    Args:
        main: The main version.
        given: How it divides; `None` for everything to the main version.

    Raises:
        CloudError: The routing breaks one of the cloud's limits.
        Refused: It breaks a rule of the gateway's own.
    """
    config = given or _NONE
    weights, matches = config.AdditionalVersionWeights, config.AddtionVersionMatchs
    limits.ADDITIONAL.check(len(weights) + len(matches))
    rules = [_rule(match) for match in matches]
    _check_other(main, weights, BAD_WEIGHTS)
    _check_other(main, matches, BAD_ROUTING)
    for weight in weights:
        limits.WEIGHT.check(weight.Weight)
    shares = {each.Version: parse_weight(each.Weight, each.Version) for each in weights}
    return Route(main, shares, tuple(rules))


def routing_plain(route: Route) -> dict[str, object]:
    """A route as the cloud tells it; both lists are always there."""
    return {
        "AdditionalVersionWeights": [
            {"Version": version, "Weight": float(weight)}
            for version, weight in route.weights.items()
        ],
        "AddtionVersionMatchs": [_match_plain(rule) for rule in route.rules],
    }


def _rule(match: VersionMatch) -> Rule:
    limits.RULE_KEY.check(match.Key)
    limits.RULE_METHOD.check(match.Method)
    limits.EXPRESSION.check(match.Expression)
    return parse_rule(f"{match.Key} {match.Method} {match.Expression}", match.Version)


def _check_other(
    main: str, additional: Sequence[VersionWeight | VersionMatch], codes: Codes
) -> None:
    for each in additional:
        if each.Version == main:
            message = f"the additional version {main!r} is the main version"
            fail(codes, f"{message}; allowed: another one")


def _match_plain(rule: Rule) -> dict[str, str]:
    rest = rule.when.removeprefix(rule.key.text).split(maxsplit=1)
    expression = rest[1] if len(rest) > 1 else ""
    return {
        "Version": rule.version,
        "Key": rule.key.text,
        "Method": rest[0],
        "Expression": expression,
    }
