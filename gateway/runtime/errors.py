"""Why a version cannot be loaded: a type, a stable code, the cloud's status, and a sentence.

A broken version is refused when it is proved, before any traffic reaches it; a request that meets
one all the same is answered with the status below, as the cloud would answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gateway.core.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.core.functions import FunctionVersion


class LoadError(GatewayError):
    """A version whose code cannot be run.

    Attributes:
        code: Stable name of the kind of error.
        status: The cloud's function status code.
        function: The function's name.
        number: The version's number, or `$LATEST`.
        sentence: What is wrong, without saying with which version.
        stack: The user's frames, as Python prints them; empty when no user code ran.
        output: What the code said before it failed.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    output: str = ""

    def __init__(self, version: FunctionVersion, sentence: str, stack: str = "") -> None:
        self.function = version.function
        self.number = version.number
        self.sentence = sentence
        self.stack = stack
        super().__init__(f"function {version.function!r}, version {version.number}: {sentence}")

    def elsewhere(self, copies: Mapping[str, str]) -> None:
        """Name the folders that the code came from, in place of the copies that were tried."""
        for copy, origin in copies.items():
            self.stack = self.stack.replace(copy, origin)
            self.args = (str(self).replace(copy, origin),)

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        said = {"output": self.output} if self.output else {}
        return {
            "code": self.code,
            "function": self.function,
            "version": self.number,
            "message": str(self),
            "stack": self.stack,
            **said,
        }


class HandlerNotFound(LoadError):
    """The configured handler names nothing that can be called (cloud code 437)."""

    code = "handler-not-found"
    status = 437


class CodeNotFound(HandlerNotFound):
    """The version's folder does not exist; the cloud would answer 437 as well."""

    code = "code-not-found"


class UserCodeError(LoadError):
    """Importing the handler's file raised (cloud code 443).

    Attributes:
        error_type: The name of what the code raised, such as `ZeroDivisionError`.
        error_message: Its message.
    """

    code = "user-code-error"
    status = 443

    def __init__(self, version: FunctionVersion, error: tuple[str, str], stack: str) -> None:
        self.error_type, self.error_message = error
        said = f"{self.error_type}: {self.error_message}".removesuffix(": ")
        super().__init__(version, f"the code cannot be imported: {said}", stack)


class BrokenVersions(GatewayError):
    """Versions that do not load.

    Attributes:
        errors: Why, one for each version.
    """

    def __init__(self, errors: list[LoadError]) -> None:
        self.errors = errors
        super().__init__("; ".join(map(str, errors)))
