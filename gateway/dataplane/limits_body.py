"""How long bodies of single APIs may be: settled when a head is complete, before a body is read.

Only while some released API says so does anybody look: a request with a body is routed once more
then, and all others never.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from gateway.core.errors import RoutingError
from gateway.core.snapshot import Snapshot, Stage
from gateway.dataplane.address import Addresses
from gateway.dataplane.limits import ABSOLUTE_FORM, FRAGMENT
from gateway.dataplane.limits_head import HeadRefused, path_and_query

Headers = list[tuple[bytes, bytes]]

_EVERY_FORM: Final = frozenset((ABSOLUTE_FORM, FRAGMENT))


class Bounds:
    """The bounds that released APIs set.

    Attributes:
        active: Whether any does.
    """

    def __init__(self) -> None:
        self.active = False
        self._addresses = Addresses(Snapshot())
        self._seen: dict[int, tuple[Stage, bool]] = {}  # stages outlive snapshots

    def follow(self, snapshot: Snapshot) -> None:
        """A snapshot is live; only stages that are new in it are looked through."""
        stages = [each for found in snapshot.services.values() for each in found.stages.values()]
        self._seen = {id(each): self._seen.get(id(each)) or _looked(each) for each in stages}
        self.active = any(bounded for _, bounded in self._seen.values())
        if self.active:
            self._addresses = Addresses(snapshot)

    def most(self, method: bytes, target: bytes, headers: Headers) -> int | None:
        """The bytes that the body of a request may have; `None` where its API says nothing.

        Args:
            method: The method.
            target: What the request line names.
            headers: Its headers, names in lower case.

        Raises:
            HeadRefused: The target is none.
        """
        host = next((value for name, value in headers if name == b"host"), b"").decode("latin-1")
        path = unquote(path_and_query(target, _EVERY_FORM)[0].decode("ascii"))
        try:
            stage, path = self._addresses.locate(host, path)
            api, _ = stage.table.match(method.decode("ascii"), path)
        except RoutingError:
            return None
        return api.features.max_body


def _looked(stage: Stage) -> tuple[Stage, bool]:
    """A stage, and whether any of its APIs has a bound."""
    return stage, any(api.features.max_body is not None for api in stage.apis)


UNBOUNDED: Final = Bounds()
"""For an application that has no APIs."""


def settled(
    bounds: Bounds, usual: int | None, line: tuple[bytes, bytes], headers: Headers
) -> int | None:
    """The bytes that a body may have whose head is complete.

    Args:
        bounds: What APIs say.
        usual: What holds where they say nothing; `None` for any number.
        line: Method and target.
        headers: The headers, names in lower case.

    Raises:
        HeadRefused: It is announced to be longer.
    """
    most = bounds.most(*line, headers) if bounds.active else None
    if most is None:
        most = usual
    if most is not None:
        for name, value in headers:
            if name == b"content-length" and int(value) > most:
                raise HeadRefused(413)
    return most
