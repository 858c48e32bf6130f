"""The table, its rows about functions: versions, aliases, code, faults, breakers."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.rest import (
    accounts,
    aliases,
    answers,
    bodies,
    breakers,
    faults,
    functions,
)
from gateway.controlplane.rest.invocation_operations import INVOCATION_OPERATIONS
from gateway.controlplane.rest.operation import MULTIPART, ZIP, Operation

_F: Final = "/api/functions/{f}"
_V: Final = _F + "/versions"
_A: Final = _F + "/aliases"

_FUNCTIONS: Final = (
    Operation(
        id="listFunctions",
        method="GET",
        path="/api/functions",
        summary="Every function at a glance",
        run=functions.list_functions,
        answer=answers.Functions,
    ),
    Operation(
        id="getFunction",
        method="GET",
        path=_F,
        summary="One function",
        run=functions.get_function,
        answer=answers.Function,
    ),
    Operation(
        id="deleteFunction",
        method="DELETE",
        path=_F,
        summary="Remove a function that no released API names",
        run=functions.delete_function,
        answer=accounts.Done,
    ),
    Operation(
        id="putConfiguration",
        method="PUT",
        path=_F + "/configuration",
        summary="Alter fields of $LATEST; what is not named stays",
        run=functions.put_configuration,
        answer=accounts.Done,
        body=bodies.ConfigurationBody,
    ),
    Operation(
        id="getCode",
        method="GET",
        path=_F + "/code",
        summary="A version's code",
        run=functions.get_code,
        answer=ZIP,
        query=bodies.VersionQuery,
        errors=(422, 503),
    ),
    Operation(
        id="putCode",
        method="PUT",
        path=_F + "/code",
        summary="Give $LATEST new code; a function that does not exist is created",
        run=functions.put_code,
        answer=accounts.Done,
        created=True,
        query=bodies.UploadQuery,
        creates="f",
        media=(ZIP, MULTIPART),
    ),
)

_BREAKERS: Final = (
    Operation(
        id="getBreaker",
        method="GET",
        path=_F + "/breaker",
        summary="When versions of a function are left alone, and how each of them stands",
        run=breakers.get_breaker,
        answer=breakers.BreakerWithCircuits,
    ),
    Operation(
        id="putBreaker",
        method="PUT",
        path=_F + "/breaker",
        summary="Say when versions of a function are left alone; what is not named is as usual",
        run=breakers.put_breaker,
        answer=accounts.Done,
        created=True,
        body=breakers.BreakerBody,
        law=breakers.read_breaker,
    ),
    Operation(
        id="deleteBreaker",
        method="DELETE",
        path=_F + "/breaker",
        summary="Leave no version of a function alone any more",
        run=breakers.delete_breaker,
        answer=accounts.Done,
    ),
)

_VERSIONS: Final = (
    Operation(
        id="listVersions",
        method="GET",
        path=_V,
        summary="Every version of a function",
        run=functions.list_versions,
        answer=answers.Versions,
    ),
    Operation(
        id="publishVersion",
        method="POST",
        path=_V,
        summary="Freeze $LATEST into the next number",
        run=functions.publish,
        answer=accounts.Published,
        status=201,
        body=bodies.PublishBody,
        optional=True,
    ),
    Operation(
        id="getVersion",
        method="GET",
        path=_V + "/{v}",
        summary="One version",
        run=functions.get_version,
        answer=answers.Version,
    ),
    Operation(
        id="deleteVersion",
        method="DELETE",
        path=_V + "/{v}",
        summary="Remove a published version that nothing names",
        run=functions.delete_version,
        answer=accounts.Done,
    ),
    Operation(
        id="getFault",
        method="GET",
        path=_V + "/{v}/fault",
        summary="What a version is told to get wrong",
        run=faults.get_fault,
        answer=answers.Fault,
    ),
    Operation(
        id="putFault",
        method="PUT",
        path=_V + "/{v}/fault",
        summary="Tell a version what to get wrong; what is not named is cleared",
        run=faults.put_fault,
        answer=accounts.Done,
        created=True,
        body=faults.FaultBody,
        law=faults.read_fault,
    ),
    Operation(
        id="deleteFault",
        method="DELETE",
        path=_V + "/{v}/fault",
        summary="Let a version run as it is again",
        run=faults.delete_fault,
        answer=accounts.Done,
    ),
)

_ALIASES: Final = (
    Operation(
        id="listAliases",
        method="GET",
        path=_A,
        summary="Every alias of a function",
        run=aliases.list_aliases,
        answer=answers.Aliases,
    ),
    Operation(
        id="getAlias",
        method="GET",
        path=_A + "/{a}",
        summary="One alias",
        run=aliases.get_alias,
        answer=answers.Alias,
    ),
    Operation(
        id="putAlias",
        method="PUT",
        path=_A + "/{a}",
        summary="Create an alias or replace its whole routing; what is not named is cleared",
        run=aliases.put_alias,
        answer=accounts.Done,
        created=True,
        body=bodies.AliasBody,
        law=aliases.read_alias,
        creates="a",
    ),
    Operation(
        id="deleteAlias",
        method="DELETE",
        path=_A + "/{a}",
        summary="Remove an alias that no released API names",
        run=aliases.delete_alias,
        answer=accounts.Done,
    ),
    Operation(
        id="aliasHistory",
        method="GET",
        path=_A + "/{a}/history",
        summary="Where an alias led, newest first",
        run=aliases.alias_history,
        answer=accounts.History,
        query=bodies.HistoryQuery,
        errors=(503,),
    ),
    Operation(
        id="rollBack",
        method="POST",
        path=_A + "/{a}/rollback",
        summary="Bring back where an alias led",
        run=aliases.roll_back,
        answer=accounts.RolledBack,
        body=bodies.RollbackBody,
        optional=True,
    ),
)

FUNCTION_OPERATIONS: Final = (
    *_FUNCTIONS,
    *_BREAKERS,
    *INVOCATION_OPERATIONS,
    *_VERSIONS,
    *_ALIASES,
)
"""Every operation under `/api/functions`."""
