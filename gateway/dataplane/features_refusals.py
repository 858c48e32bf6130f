"""Why a feature turns a request away, in the cloud's words (CONTRACT 5.6)."""

from __future__ import annotations

from gateway.core.errors import RoutingError


class AddressRefused(RoutingError):
    """The caller's address may not call the stage."""

    code = "address-refused"
    status = 403

    def __init__(self) -> None:
        super().__init__("Endpoint IP address is not allowed.")


class ParameterRefused(RoutingError):
    """A declared parameter is missing, or no value of its kind."""

    code = "parameter-refused"
    status = 403


class Unauthorized(RoutingError):
    """A request is not signed as it has to be."""

    code = "unauthorized"
    status = 401


class NoUsagePlan(RoutingError):
    """A key is in no usage plan of the stage."""

    code = "no-usage-plan"
    status = 403

    def __init__(self) -> None:
        super().__init__("Found no validate usage plan.")


class QuotaExceeded(RoutingError):
    """A usage plan has no requests left."""

    code = "quota-exceeded"
    status = 429

    def __init__(self) -> None:
        super().__init__("API quota exceeded.")


class RateExceeded(RoutingError):
    """More requests than a limit allows."""

    code = "rate-exceeded"
    status = 429

    def __init__(self) -> None:
        super().__init__("API rate limit exceeded.")
