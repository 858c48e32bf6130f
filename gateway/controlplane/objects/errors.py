"""What the object store refuses: a status, the cloud's code, and a sentence."""

from __future__ import annotations

from typing import NoReturn

from gateway.core.errors import GatewayError


class ObjectRefused(GatewayError):
    """A request that the object store does not do.

    Attributes:
        status: With which it is answered.
        code: The cloud's code.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        super().__init__(message)


def refuse(status: int, code: str, message: str) -> NoReturn:
    """Refuse a request.

    Raises:
        ObjectRefused: Always.
    """
    raise ObjectRefused(status, code, message)
