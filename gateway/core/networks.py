"""Networks of callers: an address, or many of them in CIDR notation."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from gateway.core.typed import typed


def network(text: str) -> IPv4Network | IPv6Network:
    """An address or a network in CIDR notation.

    Raises:
        ValueError: It is neither, or has bits behind its prefix.
    """
    if not text.isascii() or text != text.strip():
        raise ValueError(f"{text!r} is no network")
    return ip_network(text)


def read_networks(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of networks among plain values; empty where there is none.

    Raises:
        TypeError, ValueError: It is no such list.
    """
    texts = tuple(typed(text, str) for text in typed(raw.get(key, []), list))
    for text in texts:
        network(text)
    return texts
