"""What was released to the stages of a service, read from the journal: nothing else remembers it.

A release by the cloud's API has the name that it was given. One by REST or by a stages.toml has
none of its own, and is told by its revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.controlplane.cloud.apigateway.known import moment
from gateway.core.plain import Plain, read_api, read_edition
from gateway.core.snapshot import Api, Edition
from gateway.store.protocol import Record, Store

MOST: Final = 10_000
"""How far back is looked, in changes of the service's stages."""


@dataclass(frozen=True, slots=True)
class Released:
    """One release.

    Attributes:
        stage: Where to.
        edition: What it is called.
        at: When, as the cloud writes it.
        plain: The stage as it was then.
    """

    stage: str
    edition: Edition
    at: str
    plain: Mapping[str, Any]

    @property
    def apis(self) -> tuple[Api, ...]:
        """The APIs that were released."""
        return tuple(map(read_api, self.plain["apis"]))

    def shown(self) -> dict[str, Any]:
        """The release as histories tell it."""
        return {
            "VersionName": self.edition.version,
            "VersionDesc": self.edition.description,
            "ReleaseTime": self.at,
        }


async def releases(store: Store, service: str) -> list[Released]:
    """Every release of a service, newest first."""
    path = ("services", service, "stages")
    return list(_read(await store.records(path=path, limit=MOST), path))


def current(found: Iterable[Released], stage: str) -> str:
    """What the newest release to a stage is called; empty where there is none."""
    return next((each.edition.version for each in found if each.stage == stage), "")


def _read(records: Iterable[Record], path: tuple[str, ...]) -> Iterable[Released]:
    for record in records:
        for each in record.differences:
            if each.path[:-1] != path or not isinstance(each.after, Mapping):
                continue
            if not _is_release(each.before, each.after):
                continue
            said = each.after.get("edition")
            edition = Edition(f"revision-{record.revision}") if said is None else read_edition(said)
            yield Released(each.path[-1], edition, moment(record.at), each.after)


def _is_release(before: object, after: Plain) -> bool:
    """Whether APIs were released, and not only who may call them was altered."""
    if not isinstance(before, Mapping):
        return True
    return any(before.get(part) != after.get(part) for part in ("apis", "variables", "edition"))
