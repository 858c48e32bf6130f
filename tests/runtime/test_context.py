"""The context has the cloud's keys, and tells about the version that runs."""

from __future__ import annotations

import json
import os

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime.context import context_template

KEYS = {
    "memory_limit_in_mb", "time_limit_in_ms", "request_id", "environment", "environ",
    "function_version", "function_name", "namespace", "tencentcloud_region",
    "tencentcloud_appid", "tencentcloud_uin",
}  # fmt: skip


def version(number: str = "1", **configured: object) -> FunctionVersion:
    """A version that is never loaded."""
    return FunctionVersion("orders", number, "/nowhere", Configuration(**configured))  # type: ignore[arg-type]


def test_the_documented_keys_and_no_other() -> None:
    """A handler that runs here runs there."""
    assert set(context_template(version())) == KEYS


@pytest.mark.parametrize("number", ["1", "12", "$LATEST"])
def test_what_is_told_about_the_version(number: str) -> None:
    """The version that runs, never an alias."""
    context = context_template(version(number, timeout=0.25, memory=256))
    assert context["function_name"] == "orders"
    assert context["function_version"] == number
    assert context["time_limit_in_ms"] == 250
    assert context["memory_limit_in_mb"] == 256
    assert (context["namespace"], context["tencentcloud_region"]) == ("default", "local")


@pytest.mark.parametrize(
    ("variables", "environ"),
    [
        pytest.param({}, "SCF_NAMESPACE=default", id="none"),
        pytest.param({"A": "1", "B": ""}, "A=1;B=;SCF_NAMESPACE=default", id="two"),
        pytest.param({"A": "größe 数"}, "A=größe 数;SCF_NAMESPACE=default", id="any text"),
        pytest.param({"SCF_NAMESPACE": "x"}, "SCF_NAMESPACE=default", id="not to be changed"),
    ],
)
def test_the_environment_is_text_twice(variables: dict[str, str], environ: str) -> None:
    """Once as JSON, once as the cloud's list with semicolons; never in `os.environ`."""
    before = dict(os.environ)
    context = context_template(version(environment=variables))
    assert isinstance(context["environment"], str)
    assert json.loads(context["environment"]) == {**variables, "SCF_NAMESPACE": "default"}
    assert context["environ"] == environ
    assert dict(os.environ) == before


def test_without_variables_the_text_is_the_clouds() -> None:
    """Character for character."""
    assert context_template(version())["environment"] == '{"SCF_NAMESPACE":"default"}'
