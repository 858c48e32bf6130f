"""Reading the parameters of an action: what is missing, what is of another type, all of it named.

Parameters that no field has are ignored, as the cloud ignores them: official clients send some
that no document has. What came as flat texts is read as the types of the fields.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from gateway.controlplane.cloud.errors import Codes, fail
from gateway.controlplane.cloud.received import Parameters

NAMESPACE: Final = "default"
"""The one namespace."""

LISTED: Final[Any] = BeforeValidator(lambda value: [] if value == "" else value)
"""Reads an empty text as the empty list: flat parameters have no other spelling for it."""

P = TypeVar("P", bound="Request")


class Structure(BaseModel):
    """What requests and their parts share."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, defer_build=True)


class Request(Structure):
    """What all actions take.

    Attributes:
        codes: Codes of parameters that are wrong in their form, by name.
        missing: Codes of parameters that are not there, by name.
        wrong: Codes of all other parameters that are wrong in their form.
    """

    codes: ClassVar[dict[str, Codes]] = {}
    missing: ClassVar[dict[str, Codes]] = {}
    wrong: ClassVar[Codes] = ("InvalidParameter",)

    Namespace: str = NAMESPACE


class FunctionRequest(Request):
    """An action on one function."""

    FunctionName: str


def read_request(model: type[P], parameters: Parameters) -> P:
    """The parameters of an action as its fields.

    Raises:
        CloudError: Some are missing, or of another type; all of them are named.
    """
    given = {name: value for name, value in parameters.values.items() if value is not None}
    try:
        return model.model_validate(given, strict=parameters.typed)
    except ValidationError as error:
        details = error.errors(include_url=False)
        message = "; ".join(map(_sentence, details))
        fail(_codes(details[0], model), message)


def _codes(detail: ErrorDetails, model: type[Request]) -> Codes:
    at, kind = detail["loc"], detail["type"]
    name = str(at[0])
    if kind == "missing" and len(at) == 1:
        return model.missing.get(name, ("MissingParameter",))
    return model.codes.get(name, model.wrong)


def _sentence(detail: ErrorDetails) -> str:
    name = ".".join(map(str, detail["loc"]))
    if detail["type"] == "missing":
        return f"the parameter {name} is missing"
    said = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"the parameter {name} is {detail['input']!r:.80}; {said}"
