"""Where a PostgreSQL database is: what is handed to the driver, and what may be said aloud.

A password never leaves this module but towards the database: sentences name the address without it,
and a URL that cannot be read is not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gateway.store.protocol import StateUnusable

SCHEMES: Final = ("postgresql://", "postgres://")
"""How an address of a database begins."""

CONNECT_SECONDS: Final = 3
"""How long a connection may take to be made, to each host that the address names."""

# A peer that is gone without a word is noticed within some ten seconds.
_DEFAULTS: Final[Mapping[str, str | int]] = {
    "application_name": "gateway",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    Attributes:
        name: The state as sentences name it, without the password.
        parameters: What the driver connects with.
    """

    name: str
    parameters: Mapping[str, Any] = field(repr=False)


def parse_address(url: str) -> Address:
    """Read an address: `postgresql://user:password@host:port/database?parameter=value`.

    Raises:
        StateUnusable: It is none.
    """
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error:
        # What the library says about it may hold a part of the password.
        raise StateUnusable(
            "the state is no address of a database; allowed:"
            " postgresql://user:password@host:port/database?parameter=value,"
            " where signs such as @ : / in a name or a password are written as %40 %3A %2F"
        ) from None
    return Address(f"the state {_spoken(found)!r}", {**_DEFAULTS, **found})


def _spoken(found: Mapping[str, Any]) -> str:
    """An address that may be read by anybody."""
    user, database = found.get("user"), found.get("dbname")
    hosts = str(found.get("host") or found.get("hostaddr") or "").split(",")
    ports = str(found.get("port") or "").split(",")
    if len(ports) != len(hosts):
        ports = ports[:1] * len(hosts)
    places = (f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=True))
    who = f"{user}@" if user else ""
    return f"postgresql://{who}{','.join(places)}/{database or ''}"
