"""The codes of API Gateway for each kind of mistake, best first; an action answers one it has."""

from __future__ import annotations

from typing import Final

FORMAT: Final = ("InvalidParameter.FormatError", "InvalidParameter")
OPTIONS: Final = ("InvalidParameterValue.NotInOptions", *FORMAT)
RANGE: Final = ("InvalidParameterValue.RangeExceeded", *FORMAT)
LENGTH: Final = ("InvalidParameterValue.LengthExceeded", *FORMAT)
FILTER: Final = (
    "InvalidParameterValue.InvalidFilterNotSupportedName",
    *FORMAT,
)

NO_SERVICE: Final = ("ResourceNotFound.InvalidService", "ResourceNotFound")
NO_API: Final = ("ResourceNotFound.InvalidApi", "ResourceNotFound")
NO_PLAN: Final = ("ResourceNotFound.InvalidUsagePlan", "ResourceNotFound")
NO_KEY: Final = ("ResourceNotFound.InvalidAccessKeyId", "ResourceNotFound")
NO_PLUGIN: Final = ("ResourceNotFound.InvalidPlugin", "ResourceNotFound")
NO_EDITION: Final = ("ResourceNotFound",)

BAD_STAGE: Final = ("InvalidParameterValue.InvalidEnv", *FORMAT)
STAGE_OFF: Final = (
    "InvalidParameterValue.InvalidEnvStatus",
    "FailedOperation.ServiceError",
    "UnsupportedOperation.UnsupportedBindEnvironment",
    "FailedOperation",
)
REFUSED: Final = ("FailedOperation.ServiceError", "FailedOperation")

BAD_REQUEST: Final = (
    "InvalidParameterValue.InvalidApiRequestConfig",
    "InvalidParameterValue",
)
BAD_METHOD: Final = ("InvalidParameterValue.InvalidMethod", *BAD_REQUEST)
BAD_BACKEND: Final = ("InvalidParameterValue.InvalidServiceType", "InvalidParameterValue")
BAD_FUNCTION: Final = ("InvalidParameterValue.InvalidScfConfig", "InvalidParameterValue")
BAD_URL: Final = ("InvalidParameterValue.InvalidUrl", "InvalidParameterValue")
BAD_PROXY: Final = ("InvalidParameterValue.InvalidServiceConfig", "InvalidParameterValue")
BAD_MOCK: Final = (
    "InvalidParameterValue.InvalidServiceMockReturnMessage",
    "InvalidParameterValue",
)
BAD_PARAMETERS: Final = ("InvalidParameterValue.InvalidRequestParameters", "InvalidParameterValue")
BAD_MAPPING: Final = (
    "InvalidParameterValue.InvalidServiceParameters",
    "InvalidParameterValue.InvalidServiceParam",
    "InvalidParameterValue",
)
BAD_CONSTANTS: Final = (
    "InvalidParameterValue.InvalidConstantParameters",
    "InvalidParameterValue.InvalidServiceParam",
    "InvalidParameterValue",
)
BAD_TYPE: Final = ("InvalidParameterValue.InvalidApiType", "InvalidParameterValue")
BAD_BUSINESS: Final = ("InvalidParameterValue.InvalidApiBusinessType", "InvalidParameterValue")
BAD_APIS: Final = ("InvalidParameterValue.InvalidApiIds", *FORMAT)
BAD_QUOTA: Final = ("InvalidParameterValue.InvalidMaxRequestNum", *FORMAT)
BAD_STRATEGY: Final = (
    "InvalidParameterValue.RangeExceeded",
    "InvalidParameterValue.InvalidRequestParameters",
    "InvalidParameterValue",
)
BAD_PLUGIN: Final = ("InvalidParameterValue.InvalidPluginConfig", "InvalidParameterValue")
BAD_NETWORK: Final = ("InvalidParameterValue.InvalidIPAddress", *BAD_PLUGIN)
NO_PLUGIN_FIELD: Final = ("MissingParameter.PluginConfig", "MissingParameter")
SAME_PLUGIN: Final = (
    "InvalidParameterValue.DuplicatePluginConfig",
    "InvalidParameter.DuplicatePluginConfig",
    "InvalidParameterValue",
)

HAS_APIS: Final = ("UnsupportedOperation.ApiListNotEmpty", "ResourceInUse")
IS_RELEASED: Final = ("UnsupportedOperation.ExistingOnlineEnvironment", "ResourceInUse")
HAS_PLANS: Final = ("UnsupportedOperation.UsagePlanInUse", "ResourceInUse")
API_BOUND: Final = (
    "FailedOperation.ApiBindEnvironmen",
    "FailedOperation.ApiBindEnvironment",
    "ResourceInUse",
)
KEY_EXISTS: Final = ("FailedOperation.AccessKeyExist", "ResourceInUse")
KEY_BOUND: Final = ("UnsupportedOperation.ResourceIsInUse", "ResourceInUse")
KEY_ON: Final = ("UnsupportedOperation.InvalidStatus", "UnsupportedOperation")
KEY_TWICE: Final = ("UnsupportedOperation.AlreadyBindUsagePlan", "ResourceInUse")
KEY_FIXED: Final = ("UnsupportedOperation.UnsupportedUpdateApiKey", "UnsupportedOperation")
NOT_BOUND: Final = ("UnsupportedOperation.UnsupportedUnBindEnvironment", "FailedOperation")

MANY_SERVICES: Final = ("LimitExceeded.ServiceCountLimitExceeded", "LimitExceeded")
MANY_APIS: Final = ("LimitExceeded.ApiCountLimitExceeded", "LimitExceeded")
MANY_KEYS: Final = ("LimitExceeded.ApiKeyCountLimitExceeded", "LimitExceeded")
MANY_PLANS: Final = ("LimitExceeded.UsagePlanLimitExceeded", "LimitExceeded")
MANY_IN_PLAN: Final = ("LimitExceeded.AccessKeyCountInUsagePlanLimitExceeded", "LimitExceeded")
