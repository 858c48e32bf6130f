"""Rules: `key method expression`, read once, answered per request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.core.rules import MAX_EXPRESSION, RequestView, parse_key, parse_rule

Http = Callable[..., RequestView]

USERS = {
    "user": {"id": 7, "name": "Bob", "admin": True, "beta": False, "score": 1.5, "none": None},
    "tags": ["a", "b"],
    "items": [{"sku": "x", "n": 1}, {"sku": "y", "n": 2}, {"sku": None}],
    "empty": "",
    "user-id": "dash",
}


@pytest.mark.parametrize(
    ("when", "request_", "hit"),
    [
        pytest.param(
            "invoke.headers.User exact Bob", {"headers": {"User": "Bob"}}, True, id="a header"
        ),
        pytest.param(
            "invoke.headers.User exact Bob",
            {"headers": {"uSER": "Bob"}},
            True,
            id="header names fold their case over HTTP",
        ),
        pytest.param(
            "invoke.headers.USER exact Bob",
            {"headers": {"user": "Bob"}},
            True,
            id="so do the names in rules",
        ),
        pytest.param(
            "invoke.headers.User exact Bob",
            {"headers": {"User": "bob"}},
            False,
            id="header values do not",
        ),
        pytest.param("invoke.headers.User exact Bob", {}, False, id="a missing header"),
        pytest.param(
            "invoke.headers.User exact Bob",
            {"query": {"User": "Bob"}, "cookies": {"User": "Bob"}, "path": {"User": "Bob"}},
            False,
            id="the right name in the wrong places",
        ),
        pytest.param(
            "invoke.headers.User exact Bob Smith",
            {"headers": {"User": "Bob Smith"}},
            True,
            id="an expression with a space",
        ),
        pytest.param(
            "  invoke.headers.User \t exact   Bob ",
            {"headers": {"User": "Bob"}},
            True,
            id="white space around the parts",
        ),
        pytest.param(
            "invoke.headers.User exact exact",
            {"headers": {"User": "exact"}},
            True,
            id="an expression that looks like a method",
        ),
        pytest.param(
            "invoke.headers.in in in, exists",
            {"headers": {"in": "exists"}},
            True,
            id="a name that looks like a method",
        ),
        pytest.param(
            "invoke.headers.X-User.Id_1 exact Bob",
            {"headers": {"x-user.id_1": "Bob"}},
            True,
            id="a name with dashes, dots and underscores",
        ),
        pytest.param(
            "invoke.headers.Age range [18,30]", {"headers": {"Age": "18"}}, True, id="a range"
        ),
        pytest.param(
            "invoke.headers.Age range [18,30]",
            {"headers": {"Age": "17"}},
            False,
            id="outside a range",
        ),
        pytest.param("invoke.headers.Age range [18,30]", {}, False, id="a range without a value"),
        pytest.param(
            "invoke.headers.Age range [18,30]",
            {"headers": {"Age": "9" * 1000}},
            False,
            id="a thousand digits",
        ),
        pytest.param(
            "invoke.headers.User prefix Bo", {"headers": {"User": "Bob"}}, True, id="a prefix"
        ),
        pytest.param(
            "invoke.headers.User regex ^B.b$", {"headers": {"User": "Bob"}}, True, id="a regex"
        ),
        pytest.param(
            "invoke.headers.User in Alice, Bob", {"headers": {"User": "Bob"}}, True, id="a list"
        ),
        pytest.param(
            "invoke.headers.User exists", {"headers": {"User": ""}}, True, id="an empty header"
        ),
        pytest.param("invoke.headers.User exists", {}, False, id="no header"),
        pytest.param(
            "invoke.query.user exact Bob", {"query": {"user": "Bob"}}, True, id="a query parameter"
        ),
        pytest.param(
            "invoke.query.user exact Bob",
            {"query": {"User": "Bob"}},
            False,
            id="names of query parameters keep their case",
        ),
        pytest.param("invoke.query.user exists", {}, False, id="no query parameter"),
        pytest.param(
            "invoke.path.id range [1,9]", {"path": {"id": "5"}}, True, id="a path parameter"
        ),
        pytest.param(
            "invoke.path.id range [1,9]", {"path": {"ID": "5"}}, False, id="another path parameter"
        ),
        pytest.param(
            "invoke.cookies.group exact beta", {"cookies": {"group": "beta"}}, True, id="a cookie"
        ),
        pytest.param(
            "invoke.cookies.group exact beta",
            {"cookies": {"Group": "beta"}},
            False,
            id="names of cookies keep their case",
        ),
        pytest.param("invoke.body.$.user.id exact 7", {"body": USERS}, True, id="a JSON number"),
        pytest.param("invoke.body.$.user.id range [1,9]", {"body": USERS}, True, id="in a range"),
        pytest.param("invoke.body.$.user.score exact 1.5", {"body": USERS}, True, id="a decimal"),
        pytest.param("invoke.body.$.user.name exact Bob", {"body": USERS}, True, id="a JSON text"),
        pytest.param("invoke.body.$.user.admin exact true", {"body": USERS}, True, id="true"),
        pytest.param("invoke.body.$.user.beta exact false", {"body": USERS}, True, id="false"),
        pytest.param("invoke.body.$.user.admin exact 1", {"body": USERS}, False, id="true is no 1"),
        pytest.param(
            "invoke.body.$.user.none exists", {"body": USERS}, False, id="null is nothing"
        ),
        pytest.param("invoke.body.$.user exists", {"body": USERS}, False, id="a table is no value"),
        pytest.param("invoke.body.$.tags exists", {"body": USERS}, False, id="a list is no value"),
        pytest.param("invoke.body.$.empty exists", {"body": USERS}, True, id="an empty text is"),
        pytest.param(
            "invoke.body.$.empty regex ^$", {"body": USERS}, True, id="and can be matched"
        ),
        pytest.param(
            "invoke.body.$.user-id exact dash", {"body": USERS}, True, id="a dashed field"
        ),
        pytest.param("invoke.body.$.nobody.id exists", {"body": USERS}, False, id="no such field"),
        pytest.param("invoke.body.$.tags[1] exact b", {"body": USERS}, True, id="a list's element"),
        pytest.param("invoke.body.$.tags[2] exists", {"body": USERS}, False, id="behind its end"),
        pytest.param("invoke.body.$.tags.a exists", {"body": USERS}, False, id="a list's field"),
        pytest.param("invoke.body.$.user[0] exists", {"body": USERS}, False, id="a table's index"),
        pytest.param(
            "invoke.body.$.user.name[0] exists", {"body": USERS}, False, id="a text's index"
        ),
        pytest.param("invoke.body.$.user.id.x exists", {"body": USERS}, False, id="below a number"),
        pytest.param(
            "invoke.body.$.tags[99999999999999999999] exists",
            {"body": USERS},
            False,
            id="an index beyond every list",
        ),
        pytest.param(
            "invoke.body.$[0].a exact x", {"body": [{"a": "x"}]}, True, id="a list's body"
        ),
        pytest.param(
            "invoke.body.$.items[*].sku exact y", {"body": USERS}, True, id="any of several matches"
        ),
        pytest.param(
            "invoke.body.$.items[*].sku exact z", {"body": USERS}, False, id="none of several"
        ),
        pytest.param("invoke.body.$..n range [2,2]", {"body": USERS}, True, id="at any depth"),
        pytest.param(
            "invoke.body.$.items[?(@.n > 1)].sku exact y", {"body": USERS}, True, id="a filter"
        ),
        pytest.param(
            "invoke.body.$.items[?(@.n > 1)].sku exact x",
            {"body": USERS},
            False,
            id="what the filter leaves out",
        ),
        pytest.param(
            "invoke.body.$.items[?(@.sku > 1)].n exists",
            {"body": USERS},
            False,
            id="a filter that compares unlike things finds nothing",
        ),
        pytest.param(
            "invoke.body.$.a.`sorted`[*] exists",
            {"body": {"a": [1, "x"]}},
            False,
            id="so does an order of unlike things",
        ),
        pytest.param("invoke.body.$ exact Bob", {"body": "Bob"}, True, id="the body itself"),
        pytest.param("invoke.body.$.user.id exists", {}, False, id="a body that is not JSON"),
        pytest.param("invoke.body.$..id exists", {}, False, id="nor at any depth"),
        pytest.param("invoke.body.$.user.id exists", {"body": "user"}, False, id="a text's field"),
        pytest.param("invoke.body.$.user.id exists", {"body": 7}, False, id="a number's field"),
        pytest.param(
            "invoke.body.$.a regex ^.$", {"body": {"a": "\ud800"}}, False, id="half a surrogate"
        ),
    ],
)
def test_rules(when: str, request_: Mapping[str, object], hit: bool, http: Http) -> None:
    """Each row says whether a request hits."""
    assert parse_rule(when, "2").hits(http(**request_)) is hit


@pytest.mark.parametrize(
    ("when", "key", "hit"),
    [
        pytest.param("invoke.headers.User exact Bob", {"User": "Bob"}, True, id="the same name"),
        pytest.param("invoke.headers.User exact Bob", {"user": "Bob"}, False, id="another case"),
        pytest.param("invoke.headers.user exact Bob", {"User": "Bob"}, False, id="and reversed"),
        pytest.param("invoke.headers.userHash range [1,50]", {"userHash": "30"}, True, id="range"),
    ],
)
def test_a_routing_key_is_case_sensitive(
    when: str,
    key: dict[str, str],
    hit: bool,
    routing_key: Callable[[Mapping[str, str]], RequestView],
) -> None:
    """The cloud's invoke API compares names as they are."""
    assert parse_rule(when, "2").hits(routing_key(key)) is hit


@pytest.mark.parametrize(
    ("when", "code", "message", "hint"),
    [
        pytest.param(
            "",
            "bad-rule",
            "the rule '' is not 'key method expression'",
            "for example: invoke.headers.User exact Bob",
            id="nothing",
        ),
        pytest.param(
            "invoke.headers.User",
            "bad-rule",
            "the rule 'invoke.headers.User' is not 'key method expression'",
            "for example: invoke.headers.User exact Bob",
            id="a key alone",
        ),
        pytest.param(
            "invoke.headers.User exct Bob",
            "unknown-method",
            "has no method; allowed: exact, range, prefix, regex, in, exists",
            "did you mean 'exact'?",
            id="a method with a typo",
        ),
        pytest.param(
            "invoke.headers.User Exact Bob",
            "unknown-method",
            "the rule 'invoke.headers.User Exact Bob' has no method",
            "did you mean 'exact'?",
            id="methods are lower case",
        ),
        pytest.param(
            "invoke.headers.User exactly",
            "unknown-method",
            "has no method",
            "did you mean 'exact'?",
            id="a longer word than a method",
        ),
        pytest.param(
            "invoke.headers.User == Bob", "unknown-method", "has no method", "", id="an operator"
        ),
        pytest.param(
            "invoke.header.User exact Bob",
            "unknown-key",
            "the key 'invoke.header.User' is none that rules can read; "
            "allowed: invoke.headers.NAME, invoke.query.NAME, invoke.path.NAME, "
            "invoke.cookies.NAME, invoke.body.NAME",
            "did you mean 'invoke.headers.'?",
            id="a source with a typo",
        ),
        pytest.param(
            "User exact Bob", "unknown-key", "the key 'User' is none", "", id="a bare name"
        ),
        pytest.param(
            "invoke.headers. exact Bob",
            "unknown-key",
            "the key 'invoke.headers.'",
            None,
            id="no name",
        ),
        pytest.param(
            "invoke.headers.User(x) exact Bob",
            "unknown-key",
            "'User(x)' cannot be the name of a header: letters, digits and !#$%&'*+-.^_`|~ only",
            "",
            id="a name that no header has",
        ),
        pytest.param(
            "invoke.cookies.a;b exact Bob",
            "unknown-key",
            "'a;b' cannot be the name of a cookie",
            "",
            id="a name that no cookie has",
        ),
        pytest.param(
            "invoke.query.a/b exists",
            "unknown-key",
            "'a/b' cannot be the name of a query parameter",
            "",
            id="a name no query parameter should have",
        ),
        pytest.param(
            "invoke.path.a{b exists",
            "unknown-key",
            "'a{b' cannot be the name of a path parameter",
            "",
            id="a name that no path parameter has",
        ),
        pytest.param(
            "invoke.body.user.id exact 1",
            "bad-expression",
            "the JSON path 'user.id' does not start with '$'",
            "did you mean 'invoke.body.$.user.id'?",
            id="a JSON path without its root",
        ),
        pytest.param(
            "invoke.body.$.[ exact 1",
            "bad-expression",
            "'$.[' is not a JSON path: ",
            "for example: $.user.id",
            id="a broken JSON path",
        ),
        pytest.param(
            'invoke.body.$.a[?(@.b =~ "(a+)+$")].b exists',
            "bad-expression",
            "matches regular expressions, which only the method 'regex' does safely",
            "",
            id="a JSON path with a backtracking filter",
        ),
        pytest.param(
            "invoke.body.$.a.`sub(/(a+)+$/, x)` exists",
            "bad-expression",
            "matches regular expressions, which only the method 'regex' does safely",
            "",
            id="a JSON path with a backtracking substitution",
        ),
        pytest.param(
            "invoke.body.$.a * $.b exists",
            "bad-expression",
            "'$.a * $.b' computes; allowed: paths that only select",
            "",
            id="a JSON path that a body could blow up",
        ),
        pytest.param(
            "invoke.headers.User exact",
            "bad-expression",
            "the method 'exact' needs an expression",
            "",
            id="no expression",
        ),
        pytest.param(
            "invoke.headers.User range (1,9]",
            "bad-expression",
            "'(1,9]' is no range; allowed: [1,9] with or (1,9) without its ends",
            "",
            id="mixed brackets",
        ),
        pytest.param(
            "invoke.headers.User regex (",
            "bad-expression",
            "'(' is not a regular expression of RE2: missing )",
            "",
            id="a broken regex",
        ),
        pytest.param(
            "invoke.headers.User exists Bob",
            "bad-expression",
            "the method 'exists' takes no expression, and here is 'Bob'",
            "",
            id="an expression too many",
        ),
        pytest.param(
            f"invoke.headers.User exact {'x' * 1025}",
            "bad-expression",
            "the expression has 1025 characters; allowed: 1024",
            "",
            id="an expression that is too long",
        ),
        pytest.param(
            f"invoke.body.$.a[{'0' * 1024}] exists",
            "unknown-key",
            "the key has 1041 characters; allowed: 1024",
            "",
            id="a key that is too long",
        ),
        pytest.param(
            f"x{' ' * 100_000}y",
            "bad-rule",
            "the rule has 100002 characters; allowed: 2112",
            "",
            id="a rule of white space that would take long to read",
        ),
    ],
)
def test_rules_that_mean_nothing_are_refused(
    when: str, code: str, message: str, hint: str | None
) -> None:
    """When the rule is made, with a stable code and a sentence that helps."""
    with pytest.raises(Refused) as caught:
        parse_rule(when, "2")
    [problem] = caught.value.problems
    assert problem.code == code
    assert message in problem.message
    assert problem.at == ()
    assert hint is None or problem.hint == hint


def test_the_longest_expression_the_longest_key_and_the_longest_rule_are_allowed(
    http: Http,
) -> None:
    """The limits themselves are inside."""
    text = "x" * MAX_EXPRESSION
    rule = parse_rule(f"invoke.headers.User exact {text}", "2")
    assert rule.hits(http({"User": text}))
    assert not rule.hits(http({"User": text[1:]}))
    name = "x" * (MAX_EXPRESSION - len("invoke.headers."))
    assert parse_key(f"invoke.headers.{name}").first(http({name: "Bob"})) == "Bob"
    padded = "invoke.headers.User" + " exact Bob".rjust(2112 - len("invoke.headers.User"))
    assert len(padded) == 2112
    assert parse_rule(padded, "2").hits(http({"User": "Bob"}))


def test_a_rule_is_what_it_says() -> None:
    """Compiled parts do not count: a rule read twice is the same rule."""
    rule = parse_rule(" invoke.headers.User exact Bob ", "2")
    assert rule.when == "invoke.headers.User exact Bob"
    assert rule == parse_rule("invoke.headers.User exact Bob", "2")
    assert hash(rule) == hash(parse_rule("invoke.headers.User exact Bob", "2"))
    assert rule != parse_rule("invoke.headers.User exact Bob", "3")
    assert rule != parse_rule("invoke.headers.User exact bob", "2")
    assert rule != "invoke.headers.User exact Bob"


@pytest.mark.parametrize(
    ("key", "request_", "first", "every"),
    [
        pytest.param(
            "invoke.headers.User", {"headers": {"user": "Bob"}}, "Bob", ["Bob"], id="header"
        ),
        pytest.param("invoke.headers.User", {"headers": {"user": ""}}, "", [""], id="an empty one"),
        pytest.param("invoke.headers.User", {}, None, [], id="no header"),
        pytest.param("invoke.cookies.id", {"cookies": {"id": "7"}}, "7", ["7"], id="cookie"),
        pytest.param("invoke.body.$.user.id", {"body": USERS}, "7", ["7"], id="plain JSON path"),
        pytest.param("invoke.body.$.items[*].sku", {"body": USERS}, "x", ["x", "y"], id="several"),
        pytest.param("invoke.body.$.user.none", {"body": USERS}, None, [], id="null"),
        pytest.param("invoke.body.$.user.id", {}, None, [], id="no JSON"),
    ],
)
def test_a_key_reads_its_first_value_and_every_value(
    key: str, request_: Mapping[str, object], first: str | None, every: list[str], http: Http
) -> None:
    """Sticky splits take the first one, rules of bodies try every one."""
    compiled = parse_key(key)
    assert compiled.text == key
    assert compiled.first(http(**request_)) == first
    assert list(compiled.all(http(**request_))) == every


def test_no_body_turns_a_json_path_into_an_error(http: Http) -> None:
    """Even a body nested deeper than Python can follow only misses."""
    deep: dict[str, object] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    assert list(parse_key("invoke.body.$..b").all(http(body=deep))) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["user", "id", "a b"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(body=JSON)
def test_plain_json_paths_find_what_general_ones_find(body: object, http: Http) -> None:
    """The quick way for plain paths is the same as jsonpath-ng's, on every body."""
    request = http(body=body)
    for plain, general in [("$.user.id", "$['user']['id']"), ("$.user[0]", "$['user'][0]")]:
        quick = list(parse_key(f"invoke.body.{plain}").all(request))
        assert quick == list(parse_key(f"invoke.body.{general}").all(request))


@settings(deadline=None)
@given(st.text())
def test_every_text_is_a_rule_or_refused(when: str) -> None:
    """No input makes anything but a rule or a refusal."""
    for text in (when, f"invoke.headers.{when}", f"invoke.headers.User {when}"):
        with suppress(Refused):
            assert parse_rule(text, "2").when == text.strip()
