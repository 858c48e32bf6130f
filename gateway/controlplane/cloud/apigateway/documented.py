"""Which actions of API Gateway the cloud documents which error code for: the codes of use here.

Any action may in addition answer the common codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ACTIONS: Final = {
    "FailedOperation.AccessKeyExist": "CreateApiKey",
    "FailedOperation.ApiBindEnvironmen": "DeleteApi",
    "FailedOperation.ServiceError": (
        "AttachPlugin BindEnvironment CreateApi DeleteService DescribeServiceSubDomainMappings "
        "DetachPlugin ModifyApi ModifyService ReleaseService UnBindEnvironment UnReleaseService "
        "UpdateService"
    ),
    "InvalidParameter.DuplicatePluginConfig": "AttachPlugin",
    "InvalidParameter.FormatError": (
        "AttachPlugin BindEnvironment CreateApi CreateApiKey CreatePlugin CreateService "
        "CreateUsagePlan DeleteApi DeletePlugin DeleteService DemoteServiceUsagePlan "
        "DescribeAllPluginApis DescribeApi DescribeApiEnvironmentStrategy DescribeApiUsagePlan "
        "DescribeApisStatus DescribePlugin DescribePluginApis DescribePlugins "
        "DescribePluginsByApi DescribeService DescribeServiceEnvironmentList "
        "DescribeServiceEnvironmentReleaseHistory DescribeServiceEnvironmentStrategy "
        "DescribeServiceReleaseVersion DescribeServiceSubDomainMappings DescribeServiceSubDomains "
        "DescribeServiceUsagePlan DetachPlugin ModifyApi ModifyApiEnvironmentStrategy "
        "ModifyPlugin ModifyService ModifyUsagePlan ReleaseService UnBindEnvironment "
        "UnReleaseService UpdateApiKey UpdateService"
    ),
    "InvalidParameterValue.DuplicatePluginConfig": "AttachPlugin CreatePlugin ModifyPlugin",
    "InvalidParameterValue.InvalidApiBusinessType": "CreateApi ModifyApi",
    "InvalidParameterValue.InvalidApiIds": "BindEnvironment DetachPlugin",
    "InvalidParameterValue.InvalidApiRequestConfig": "CreateApi CreatePlugin ModifyPlugin",
    "InvalidParameterValue.InvalidApiType": "CreateApi",
    "InvalidParameterValue.InvalidConstantParameters": "ModifyApi",
    "InvalidParameterValue.InvalidEnvStatus": "AttachPlugin DetachPlugin",
    "InvalidParameterValue.InvalidFilterNotSupportedName": (
        "DescribeAllPluginApis DescribeApiKeysStatus DescribeApisStatus DescribePluginApis "
        "DescribePlugins DescribePluginsByApi DescribeServicesStatus DescribeUsagePlansStatus"
    ),
    "InvalidParameterValue.InvalidIPAddress": "CreateApi CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.InvalidMaxRequestNum": "CreateUsagePlan",
    "InvalidParameterValue.InvalidMethod": "ModifyApi",
    "InvalidParameterValue.InvalidPluginConfig": "CreatePlugin ModifyPlugin",
    "InvalidParameterValue.InvalidRequestParameters": (
        "CreateApi ModifyApi ModifyApiEnvironmentStrategy ModifyPlugin "
        "ModifyServiceEnvironmentStrategy"
    ),
    "InvalidParameterValue.InvalidScfConfig": "CreateApi CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.InvalidServiceConfig": (
        "AttachPlugin CreateApi CreatePlugin ModifyApi ModifyPlugin"
    ),
    "InvalidParameterValue.InvalidServiceMockReturnMessage": "CreateApi",
    "InvalidParameterValue.InvalidServiceParam": "CreateApi CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.InvalidServiceParameters": "CreateApi",
    "InvalidParameterValue.InvalidServiceType": "CreateApi CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.InvalidUrl": "CreateApi CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.LengthExceeded": "CreatePlugin ModifyApi ModifyPlugin",
    "InvalidParameterValue.NotInOptions": (
        "CreateApi CreatePlugin CreateService ModifyApi ModifyPlugin ModifyService"
    ),
    "InvalidParameterValue.RangeExceeded": (
        "CreateApi CreatePlugin ModifyApi ModifyApiEnvironmentStrategy ModifyPlugin "
        "ModifyServiceEnvironmentStrategy"
    ),
    "LimitExceeded.AccessKeyCountInUsagePlanLimitExceeded": "BindSecretIds",
    "LimitExceeded.ApiCountLimitExceeded": "CreateApi ModifyApi",
    "LimitExceeded.ApiKeyCountLimitExceeded": "CreateApiKey",
    "LimitExceeded.ServiceCountLimitExceeded": "CreateService",
    "LimitExceeded.UsagePlanLimitExceeded": "CreateUsagePlan",
    "MissingParameter.PluginConfig": "CreatePlugin ModifyPlugin",
    "ResourceNotFound.InvalidAccessKeyId": (
        "BindSecretIds DeleteApiKey DescribeApiKey DisableApiKey EnableApiKey UnBindSecretIds "
        "UpdateApiKey"
    ),
    "ResourceNotFound.InvalidApi": (
        "AttachPlugin BindEnvironment DeleteApi DescribeApi DescribeApiEnvironmentStrategy "
        "DescribePluginsByApi DetachPlugin ModifyApi ModifyApiEnvironmentStrategy "
        "UnBindEnvironment"
    ),
    "ResourceNotFound.InvalidPlugin": (
        "AttachPlugin DeletePlugin DescribeAllPluginApis DescribePlugin DescribePluginApis "
        "DescribePlugins DetachPlugin ModifyPlugin"
    ),
    "ResourceNotFound.InvalidService": (
        "AttachPlugin BindEnvironment CreateApi DeleteApi DeleteService DemoteServiceUsagePlan "
        "DescribeAllPluginApis DescribeApi DescribeApiEnvironmentStrategy DescribeApiUsagePlan "
        "DescribeApisStatus DescribePluginsByApi DescribeService DescribeServiceEnvironmentList "
        "DescribeServiceEnvironmentReleaseHistory DescribeServiceEnvironmentStrategy "
        "DescribeServiceReleaseVersion DescribeServiceSubDomainMappings DescribeServiceSubDomains "
        "DescribeServiceUsagePlan DetachPlugin ModifyApi ModifyService "
        "ModifyServiceEnvironmentStrategy ReleaseService UnBindEnvironment UnReleaseService"
    ),
    "ResourceNotFound.InvalidUsagePlan": (
        "BindEnvironment BindSecretIds DeleteUsagePlan DemoteServiceUsagePlan DescribeUsagePlan "
        "DescribeUsagePlanEnvironments DescribeUsagePlanSecretIds ModifyUsagePlan "
        "UnBindEnvironment UnBindSecretIds"
    ),
    "UnsupportedOperation.AlreadyBindUsagePlan": "BindSecretIds",
    "UnsupportedOperation.ApiListNotEmpty": "DeleteService",
    "UnsupportedOperation.ExistingOnlineEnvironment": "DeleteService",
    "UnsupportedOperation.InvalidAction": (
        "CreateApi CreatePlugin CreateService DeleteApi DeletePlugin DeleteService DescribeApi "
        "DescribeApisStatus DescribePlugins DescribePluginsByApi DescribeServicesStatus ModifyApi "
        "ModifyPlugin"
    ),
    "UnsupportedOperation.InvalidStatus": "BindSecretIds DeleteApiKey",
    "UnsupportedOperation.NoUsagePlanEnv": "DemoteServiceUsagePlan",
    "UnsupportedOperation.ResourceIsInUse": "DeleteApiKey",
    "UnsupportedOperation.UnsupportedBindEnvironment": "BindEnvironment",
    "UnsupportedOperation.UnsupportedUnBindEnvironment": "BindEnvironment UnBindEnvironment",
    "UnsupportedOperation.UnsupportedUpdateApiKey": "DisableApiKey EnableApiKey",
    "UnsupportedOperation.UsagePlanInUse": "DeleteService DeleteUsagePlan",
}
"""Actions by code."""

DOCUMENTED: Final[Mapping[str, frozenset[str]]] = {
    action: frozenset(code for code, listed in _ACTIONS.items() if action in listed.split())
    for action in " ".join(_ACTIONS.values()).split()
}
"""Codes by action."""
