"""Who may call, by address: the address of the connection, whatever a header says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.core.networks import network

_REMEMBERED = 1024


def admission(allow: Iterable[str], deny: Iterable[str]) -> Callable[[str], bool] | None:
    """Whether an address may call, compiled once; `None` where everybody may.

    Args:
        allow: Networks that are let in; everybody is where there is none.
        deny: Networks that are not, even if they are allowed.
    """
    allowed, denied = tuple(map(network, allow)), tuple(map(network, deny))
    if not allowed and not denied:
        return None

    @lru_cache(_REMEMBERED)
    def admits(host: str) -> bool:
        address = _address(host)
        if address is None:  # nobody knows who it is, so no list can have it
            return not allowed
        if any(address in each for each in denied):
            return False
        return not allowed or any(address in each for each in allowed)

    return admits


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address of a caller; an IPv4 one in IPv6 clothes is an IPv4 one."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
