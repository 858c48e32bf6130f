"""Triggers of the type http: a name and a description for one of a function's URLs.

Function URLs reach every qualifier of every function, whether a trigger names them or not: none
can be closed, and one whose trigger is deleted goes on.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.controlplane.cloud.errors import UNSUPPORTED, fail
from gateway.core import names
from gateway.core.errors import listed
from gateway.core.resources import Content

_BAD_DESC: Final = ("InvalidParameterValue.TriggerDesc", "InvalidParameterValue")
_NETS: Final = {"EnableIntranet": "IntranetUrl", "EnableExtranet": "ExtranetUrl"}
_AUTH: Final = "AuthType"
_NET: Final = "NetConfig"
_NEW: Final = {"EnableIntranet": False, "EnableExtranet": True}


def read_desc(text: str | None) -> dict[str, bool]:
    """Over which nets a TriggerDesc wants a URL to be reached.

    Args:
        text: A JSON object; `None` or empty for what a new one has.

    Raises:
        CloudError: It is none, or asks for what function URLs do not have.
    """
    if not text:
        return dict(_NEW)
    given = _object(_parsed(text), "TriggerDesc")
    if given.get(_AUTH, "NONE") != "NONE":
        message = f"AuthType is {given[_AUTH]!r:.80}; function URLs check no signatures"
        fail(UNSUPPORTED, f"{message}; allowed: NONE")
    others = [name for name in given if name not in {_AUTH, _NET}]
    if others:
        message = f"function URLs have no {listed(others):.200}"
        fail(UNSUPPORTED, f"{message}; allowed in TriggerDesc: {_AUTH}, {_NET}")
    nets = _object(given.get(_NET, {}), _NET)
    found = _NEW | {name: nets[name] for name in _NETS if name in nets}
    if not all(isinstance(value, bool) for value in found.values()) or not any(found.values()):
        message = f"{_NET} is {nets!r:.200}; allowed: EnableIntranet and EnableExtranet, true or"
        fail(_BAD_DESC, f"{message} false, one of them true")
    return found


def desc_of(content: Content, data_url: str) -> str:
    """The TriggerDesc of a trigger, with its URL.

    Args:
        content: The trigger, as it is kept.
        data_url: Where callers reach the data plane.
    """
    url = url_of(content["function"], content["qualifier"], data_url)
    nets: dict[str, Any] = {}
    for name, address in _NETS.items():
        nets[name] = content["nets"][name]
        nets[address] = url if content["nets"][name] else ""
    return json.dumps({_AUTH: "NONE", _NET: nets}, separators=(",", ":"))


def url_of(function: str, qualifier: str, data_url: str) -> str:
    """The URL that reaches a qualifier of a function."""
    label = {
        names.DEFAULT: function,
        names.LATEST: f"{function}--latest",
    }.get(qualifier, f"{function}--{qualifier}")
    port = urlsplit(data_url).port
    return f"http://{label.lower()}.fn.localhost" + (f":{port}" if port else "")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        fail(_BAD_DESC, f"TriggerDesc is not JSON: {error}")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        fail(_BAD_DESC, f"{what} is {value!r:.80}; allowed: a JSON object")
    return value
