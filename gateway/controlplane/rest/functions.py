"""Functions, their versions and their code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from gateway.controlplane.rest.bodies import (
    ConfigurationBody,
    PublishBody,
    UploadQuery,
    VersionQuery,
)
from gateway.controlplane.rest.changes import changed, made
from gateway.controlplane.rest.naming import function_named, version_named
from gateway.controlplane.rest.operation import ZIP, Asked, Reply
from gateway.core import names
from gateway.core.changes import DeleteFunction, DeleteVersion, PutFunction
from gateway.core.errors import Problem, Refused
from gateway.core.functions import Configuration
from gateway.core.plain import alias_plain, function_plain, version_plain
from gateway.core.snapshot import Function, Snapshot
from gateway.store.packages import to_zip


async def list_functions(asked: Asked) -> Reply:
    """Every function at a glance."""
    functions = [_summary(function) for function in asked.snapshot.functions.values()]
    return Reply({"functions": functions}, asked.snapshot.revision)


async def get_function(asked: Asked) -> Reply:
    """One function."""
    function = function_named(asked.snapshot, asked.names["f"])
    return Reply(function_plain(function), asked.snapshot.revision)


async def delete_function(asked: Asked) -> Reply:
    """Remove a function."""
    change = DeleteFunction(asked.names["f"])
    return changed(await asked.control.change(change, asked.author, expected=asked.expected))


async def put_configuration(asked: Asked) -> Reply:
    """Alter fields of `$LATEST`."""
    name, body = asked.names["f"], asked.parsed(ConfigurationBody)
    given = {field: getattr(body, field) for field in body.model_fields_set}

    def ask(snapshot: Snapshot) -> PutFunction:
        latest = function_named(snapshot, name).versions[names.LATEST]
        fields = dict(given)
        description = fields.pop("description", latest.description)
        configuration = replace(latest.configuration, **fields)
        return PutFunction(name, latest.code, configuration, description)

    return changed(await asked.control.change(ask, asked.author, expected=asked.expected))


async def list_versions(asked: Asked) -> Reply:
    """Every version of a function."""
    function = function_named(asked.snapshot, asked.names["f"])
    return Reply({"versions": function_plain(function)["versions"]}, asked.snapshot.revision)


async def publish(asked: Asked) -> Reply:
    """Freeze `$LATEST` into the next number."""
    name, body = asked.names["f"], asked.parsed(PublishBody)
    done = await asked.control.publish(
        name, body.description, asked.author, expected=asked.expected
    )
    above = ("functions", name, "versions")
    number = next(each.path[-1] for each in done.differences if each.path[:-1] == above)
    return changed(done, {"version": number}, status=201)


async def get_version(asked: Asked) -> Reply:
    """One version."""
    function = function_named(asked.snapshot, asked.names["f"])
    version = version_named(function, asked.names["v"])
    return Reply(version_plain(version), asked.snapshot.revision)


async def delete_version(asked: Asked) -> Reply:
    """Remove a published version."""
    function, number = asked.names["f"], asked.names["v"]
    if number == names.LATEST:
        message = f"{names.LATEST} cannot be deleted; delete the function, or give it other code"
        raise Refused([Problem("version-fixed", message)])
    change = DeleteVersion(function, number)
    return changed(await asked.control.change(change, asked.author, expected=asked.expected))


async def get_code(asked: Asked) -> Reply:
    """A version's code as a zip."""
    name, number = asked.names["f"], asked.parsed(VersionQuery).version
    version_named(function_named(asked.snapshot, name), number)
    package = await asked.control.package_of(name, number)
    data = await asyncio.to_thread(to_zip, package)
    file = f"{name}-{number.strip('$').lower()}.zip"
    fields = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Reply(data, asked.snapshot.revision, media=ZIP, headers=fields)


async def put_code(asked: Asked) -> Reply:
    """Give `$LATEST` new code, and create the function where there is none."""
    name, package = asked.names["f"], asked.package
    if not names.is_function(name):
        message = f"{name!r} cannot name a function; allowed: {names.FUNCTION_RULE}"
        raise Refused([Problem("bad-name", message)])
    assert package is not None  # noqa: S101 - read before the operation runs
    done = await asked.control.put_code(
        name,
        package,
        asked.author,
        expected=asked.expected,
        configuration=Configuration(handler=asked.parsed(UploadQuery).handler),
    )
    return made(done, ("functions", name, "versions", names.LATEST))


def _summary(function: Function) -> Mapping[str, object]:
    published = sorted(function.versions.keys() - {names.LATEST}, key=int)
    return {
        "name": function.name,
        "versions": published,
        "latest": version_plain(function.versions[names.LATEST]),
        "aliases": {name: alias_plain(alias) for name, alias in function.aliases.items()},
    }
