"""A definition in the cloud's words as an API of the core, and back.

What the core knows of an API is read with the rules that a file is read with; only the codes are
the cloud's. What it has no place for is refused with a sentence, or kept to be told again where it
says nothing about requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.config.backends import read_backend
from gateway.config.features import read_api_features
from gateway.controlplane.cloud.apigateway import codes
from gateway.controlplane.cloud.apigateway.known import check_one_of
from gateway.controlplane.cloud.apigateway.requests import Definition, RequestParameter
from gateway.controlplane.cloud.errors import UNSUPPORTED, Codes, fail
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.routes import check_method, parse_path
from gateway.core.shapes import Reader
from gateway.core.snapshot import Api, Backend, FunctionBackend, Snapshot

Table = dict[str, Any]

BACKENDS: Final = ("SCF", "HTTP", "MOCK")
ELSEWHERE: Final = ("TSF", "EB", "TARGET", "VPC", "UPSTREAM", "GRPC", "COS", "WEBSOCKET")
"""The cloud's types of back ends: those that are here, and the others."""

AUTHS: Final = {"NONE": "none", "SECRET": "key"}
KINDS: Final = {
    "string": "string",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
    "boolean": "boolean",
}
"""The cloud's types of parameters, each with the gateway's word."""

FUNCTION_TYPES: Final = {"EVENT": "event", "HTTP": "web"}
LONGEST_TIMEOUT: Final = 1800


def api_of(key: str, given: Definition, snapshot: Snapshot) -> Api:
    """The API that a definition describes.

    Args:
        key: Its id.
        given: The definition.
        snapshot: Has the functions.

    Raises:
        CloudError: The definition is wrong, or asks for what this gateway does not do.
    """
    _check_supported(given)
    method = _checked(check_method, given.RequestConfig.Method, codes.BAD_METHOD)
    path = _checked(parse_path, given.RequestConfig.Path, codes.BAD_REQUEST)
    problems: list[Problem] = []
    reader = Reader(_table(given), f"API {method} {path.text}", problems)
    backend = read_backend(reader, snapshot.functions)
    features = read_api_features(reader, path)
    if problems:
        _refuse(problems[0])
    assert backend is not None  # noqa: S101 - whoever has none was refused
    return Api(key, method, path, _qualified(backend, given, snapshot), features)


def _check_supported(given: Definition) -> None:
    backend = given.ServiceType
    if backend in ELSEWHERE:
        fail(UNSUPPORTED, f"there are no back ends of the type {backend}; {listed(BACKENDS)} are")
    check_one_of("ServiceType", backend, BACKENDS, codes.BAD_BACKEND)
    if given.Protocol == "WEBSOCKET":
        fail(UNSUPPORTED, "there are no APIs with the protocol WEBSOCKET; web functions take them")
    check_one_of("Protocol", given.Protocol, ("HTTP",), codes.OPTIONS)
    if given.ApiType == "TSF":
        fail(UNSUPPORTED, "there are no microservices; allowed for ApiType: NORMAL")
    check_one_of("ApiType", given.ApiType, ("NORMAL",), codes.BAD_TYPE)
    if given.AuthType in {"OAUTH", "APP"}:
        message = f"there is no authentication of the type {given.AuthType}"
        fail(UNSUPPORTED, f"{message}; {listed(AUTHS)} are")
    check_one_of("AuthType", given.AuthType, AUTHS, codes.OPTIONS)
    check_one_of("ApiBusinessType", given.ApiBusinessType, ("NORMAL",), codes.BAD_BUSINESS)
    if not 1 <= given.ServiceTimeout <= LONGEST_TIMEOUT:
        message = f"ServiceTimeout is {given.ServiceTimeout}; allowed: 1 to {LONGEST_TIMEOUT}"
        fail(codes.RANGE, message)
    if given.ServiceScfEventIsAsyncCall:
        fail(UNSUPPORTED, "callers of an API are answered by its function; use InvokeFunction")
    if any(each.get("NeedConvert") for each in given.ResponseErrorCodes):
        fail(UNSUPPORTED, "error codes of a back end are not converted; leave out NeedConvert")


def _checked(check: Callable[[str], Any], text: str, wrong: Codes) -> Any:  # noqa: ANN401 - a path or a text
    try:
        return check(text)
    except Refused as refused:
        hint = refused.problems[0].hint
        fail(wrong, f"{refused}; {hint}" if hint else str(refused))


def _table(given: Definition) -> Table:
    """A definition as a file would have it; the method and the path are checked already."""
    table: Table = {"cors": given.EnableCORS, "auth": AUTHS[given.AuthType]}
    if given.ServiceType == "SCF":
        table["function"] = given.ServiceScfFunctionName
        table["integrated"] = given.ServiceScfIsIntegratedResponse
        table["base64"] = given.IsBase64Encoded
    elif given.ServiceType == "HTTP":
        table["http"] = _http(given)
        constants = [
            {"name": each.Name, "in": each.Position.lower(), "value": each.DefaultValue}
            for each in given.ConstantParameters
        ]
        table |= {"constants": constants} if constants else {}
    else:
        if given.ServiceMockReturnMessage is None:
            fail(codes.BAD_MOCK, "an API with the type MOCK needs ServiceMockReturnMessage")
        table["mock"] = {"body": given.ServiceMockReturnMessage}
    table["parameters"] = _parameters(given)
    return table


def _http(given: Definition) -> Table:
    config = given.ServiceConfig
    if config is None or not config.Url:
        fail(codes.BAD_PROXY, "an API with the type HTTP needs ServiceConfig.Url")
    if config.Product or config.UniqVpcId:
        fail(UNSUPPORTED, "there are no private networks; allowed in ServiceConfig: Url, Path")
    method = given.RequestConfig.Method
    if config.Method not in {"", method}:
        message = "a back end is asked with the caller's method; ServiceConfig.Method is"
        fail(UNSUPPORTED, f"{message} {config.Method!r:.20}, allowed: {method}")
    url = config.Url.rstrip("/") + (config.Path if config.Path != "/" else "")
    return {"url": url, "timeout": given.ServiceTimeout}


def _parameters(given: Definition) -> list[Table]:
    """What callers send, and where it goes."""
    declared = [_parameter(each) for each in given.RequestParameters]
    for each in given.ServiceParameters:
        place, name = (
            each.RelevantRequestParameterPosition.lower(),
            each.RelevantRequestParameterName,
        )
        found = [one for one in declared if (one["in"], one["name"]) == (place, name)]
        if not found:
            there = listed(f"{one['name']} in {one['in']}" for one in declared)
            message = f"ServiceParameters names {name!r:.80} in {place!r:.20}"
            fail(codes.BAD_MAPPING, f"{message}; RequestParameters has {there}")
        if "to" in found[0]:
            fail(codes.BAD_MAPPING, f"ServiceParameters names {name!r:.80} twice")
        found[0]["to"] = {"name": each.Name, "in": each.Position.lower()}
    return declared


def _parameter(each: RequestParameter) -> Table:
    kind = each.Type.lower()
    check_one_of(f"Type of parameter {each.Name!r:.80}", kind, KINDS, codes.BAD_PARAMETERS)
    table: Table = {"name": each.Name, "in": each.Position.lower(), "type": KINDS[kind]}
    if each.Required:
        table["required"] = True
    if each.DefaultValue:
        table["default"] = each.DefaultValue
    return table


def _refuse(problem: Problem) -> None:
    wrong = _CODES[str(problem.at[0])]
    if "to" in problem.at:
        wrong = codes.BAD_MAPPING
    fail(wrong, f"{problem.message}; {problem.hint}" if problem.hint else problem.message)


_CODES: Final[Mapping[str, Codes]] = {
    "function": codes.BAD_FUNCTION,
    "http": codes.BAD_URL,
    "mock": codes.BAD_MOCK,
    "parameters": codes.BAD_PARAMETERS,
    "constants": codes.BAD_CONSTANTS,
}


def _qualified(backend: Backend, given: Definition, snapshot: Snapshot) -> Backend:
    if not isinstance(backend, FunctionBackend):
        return backend
    if given.ServiceScfFunctionNamespace != "default":
        message = f"there is no namespace {given.ServiceScfFunctionNamespace!r:.80}"
        fail(codes.BAD_FUNCTION, f"{message}; there is default")
    function, qualifier = snapshot.functions[backend.function], given.ServiceScfFunctionQualifier
    there = (*function.aliases, *function.versions)
    if qualifier not in there:
        message = f"function {function.name!r} has no version and no alias {qualifier!r:.80}"
        hint = nearest(qualifier, there)
        message = f"{message}; it has {listed(there)}"
        fail(codes.BAD_FUNCTION, f"{message}; {hint}" if hint else message)
    _check_type(given, function.configuration.type)
    return replace(backend, qualifier=qualifier)


def _check_type(given: Definition, actual: str) -> None:
    said = given.ServiceScfFunctionType
    if said is None:
        return
    check_one_of("ServiceScfFunctionType", said, FUNCTION_TYPES, codes.BAD_FUNCTION)
    if FUNCTION_TYPES[said] != actual:
        right = next(name for name, word in FUNCTION_TYPES.items() if word == actual)
        message = f"ServiceScfFunctionType is {said}, but {given.ServiceScfFunctionName!r:.80} is"
        fail(codes.BAD_FUNCTION, f"{message} of the type {right}")
