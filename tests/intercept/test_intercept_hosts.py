"""Which hosts are answered, and under which names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intercept.hosts import Kind, certified, kind_of, split_port

API = Kind.API
OBJECTS = Kind.OBJECTS


@pytest.mark.parametrize(
    ("host", "kind", "name"),
    [
        ("scf.tencentcloudapi.com", API, ""),
        ("SCF.TencentCloudAPI.com", API, "scf.tencentcloudapi.com"),
        ("scf.ap-guangzhou.tencentcloudapi.com", API, ""),
        ("scf.ap-guangzhou.internal.tencentcloudapi.com", API, ""),
        ("apigateway.tencentcloudapi.com", API, ""),
        ("tag.tencentcloudapi.com", API, ""),
        ("cos.ap-guangzhou.myqcloud.com", OBJECTS, ""),
        ("code-12.cos.ap-guangzhou.myqcloud.com", OBJECTS, "*.cos.ap-guangzhou.myqcloud.com"),
        ("aa--b-12.cos.ap-guangzhou.myqcloud.com", OBJECTS, "*.cos.ap-guangzhou.myqcloud.com"),
        ("cos.cos.ap-guangzhou.myqcloud.com", OBJECTS, "*.cos.ap-guangzhou.myqcloud.com"),
        ("code-12.cos.accelerate.myqcloud.com", OBJECTS, "*.cos.accelerate.myqcloud.com"),
        ("code-12.cos-internal.x.myqcloud.com", OBJECTS, "*.cos-internal.x.myqcloud.com"),
        ("code-12.cos.ap-guangzhou.tencentcos.cn", OBJECTS, "*.cos.ap-guangzhou.tencentcos.cn"),
    ],
)
def test_the_clouds_hosts_are_answered(host: str, kind: Kind, name: str) -> None:
    """In any case of letters; one certificate serves all buckets of a region."""
    assert (kind_of(host), certified(host)) == (kind, name or host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "tencentcloudapi.com",
        "cvm.tencentcloudapi.com",
        "xscf.tencentcloudapi.com",
        "scf.a.b.c.tencentcloudapi.com",
        "scf..tencentcloudapi.com",
        "scf.-a.tencentcloudapi.com",
        "scf.tencentcloudapi.com.",
        "scf.tencentcloudapi.com.example.com",
        "scf.tencentcloudapi.com@example.com",
        "example.com/scf.tencentcloudapi.com",
        "scf.tencentcloudapi.com\n",
        "scfxtencentcloudapi.com",
        "cos.myqcloud.com",
        "a.b.cos.ap-guangzhou.myqcloud.com",
        "code.cos-website.ap-guangzhou.myqcloud.com",
        "localhost",
        "127.0.0.1",
        "[::1]",
    ],
)
def test_no_other_host_is_answered(host: str) -> None:
    """Whatever it looks like."""
    assert kind_of(host) is None


@pytest.mark.parametrize(
    ("authority", "host", "port"),
    [
        ("a.b", "a.b", 80),
        ("a.b:443", "a.b", 443),
        ("a.b:65535", "a.b", 65535),
        ("a.b:", "a.b", None),
        ("a.b:x", "a.b", None),
        ("a.b:-1", "a.b", None),
        ("a.b:123456", "a.b", None),
        ("[::1]:443", "[::1]", 443),
    ],
)
def test_an_authority_has_a_host_and_a_port(authority: str, host: str, port: int | None) -> None:
    """A port that is none is told apart from one that is not named."""
    assert split_port(authority, 80) == (host, port)


@given(st.text(max_size=80))
def test_any_text_may_be_asked_about(text: str) -> None:
    """And is refused, unless it is a host of the cloud."""
    assert kind_of(text) is None
