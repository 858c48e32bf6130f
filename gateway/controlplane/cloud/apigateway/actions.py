"""The table: every action of API Gateway 2018-08-08, with what does it, or why it is not done.

An action that makes no sense here is refused with a sentence; none is ever answered as if it had
been done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.controlplane.cloud.apigateway import (
    apis,
    attachments,
    bindings,
    keys,
    plan_requests,
    plans,
    plugin_requests,
    plugins,
    releases,
    requests,
    services,
    strategies,
)
from gateway.controlplane.cloud.asked import Action

VERSION: Final = "2018-08-08"
"""The version of the API that is spoken."""

ACTIONS: Final[Mapping[str, Action]] = {
    "CreateService": Action(requests.CreateService, services.create_service),
    "DescribeService": Action(requests.ServiceRequest, services.describe_service),
    "DescribeServicesStatus": Action(requests.Page, services.list_services),
    "ModifyService": Action(requests.ModifyService, services.modify_service),
    "DeleteService": Action(requests.ServiceRequest, services.delete_service),
    "DescribeServiceSubDomains": Action(requests.ServicePage, services.list_domains),
    "DescribeServiceSubDomainMappings": Action(requests.SubDomainRequest, services.list_mappings),
    "CreateApi": Action(requests.CreateApi, apis.create_api),
    "ModifyApi": Action(requests.ModifyApi, apis.modify_api),
    "DescribeApi": Action(requests.ApiRequest, apis.describe_api),
    "DescribeApisStatus": Action(requests.ServicePage, apis.list_apis),
    "DeleteApi": Action(requests.ApiRequest, apis.delete_api),
    "ReleaseService": Action(requests.ReleaseService, releases.release_service),
    "UnReleaseService": Action(requests.StageRequest, releases.unrelease_service),
    "UpdateService": Action(requests.UpdateService, releases.update_service),
    "DescribeServiceReleaseVersion": Action(requests.ServicePage, releases.list_versions),
    "DescribeServiceEnvironmentReleaseHistory": Action(
        requests.ReleaseHistory, releases.list_history
    ),
    "DescribeServiceEnvironmentList": Action(requests.ServicePage, releases.list_environments),
    "DescribeServiceEnvironmentStrategy": Action(requests.ServicePage, strategies.list_strategies),
    "ModifyServiceEnvironmentStrategy": Action(requests.ModifyStrategy, strategies.modify_strategy),
    "DescribeApiEnvironmentStrategy": Action(
        requests.ApiStrategies, strategies.list_api_strategies
    ),
    "ModifyApiEnvironmentStrategy": Action(
        requests.ModifyApiStrategy, strategies.modify_api_strategy
    ),
    "CreateApiKey": Action(plan_requests.CreateApiKey, keys.create_key),
    "DescribeApiKey": Action(plan_requests.KeyRequest, keys.describe_key),
    "DescribeApiKeysStatus": Action(requests.Page, keys.list_keys),
    "UpdateApiKey": Action(plan_requests.UpdateApiKey, keys.update_key),
    "EnableApiKey": Action(plan_requests.KeyRequest, keys.enable_key),
    "DisableApiKey": Action(plan_requests.KeyRequest, keys.disable_key),
    "DeleteApiKey": Action(plan_requests.KeyRequest, keys.delete_key),
    "CreateUsagePlan": Action(plan_requests.CreateUsagePlan, plans.create_plan),
    "DescribeUsagePlan": Action(plan_requests.PlanRequest, plans.describe_plan),
    "DescribeUsagePlansStatus": Action(requests.Page, plans.list_plans),
    "ModifyUsagePlan": Action(plan_requests.ModifyUsagePlan, plans.modify_plan),
    "DeleteUsagePlan": Action(plan_requests.PlanRequest, plans.delete_plan),
    "BindSecretIds": Action(plan_requests.SecretIds, plans.bind_keys),
    "UnBindSecretIds": Action(plan_requests.SecretIds, plans.unbind_keys),
    "DescribeUsagePlanSecretIds": Action(plan_requests.PlanPage, plans.list_plan_keys),
    "BindEnvironment": Action(plan_requests.Binding, bindings.bind_environment),
    "UnBindEnvironment": Action(plan_requests.Binding, bindings.unbind_environment),
    "DemoteServiceUsagePlan": Action(plan_requests.Demotion, bindings.demote),
    "DescribeUsagePlanEnvironments": Action(
        plan_requests.PlanEnvironments, bindings.list_plan_environments
    ),
    "DescribeServiceUsagePlan": Action(requests.ServicePage, bindings.list_service_plans),
    "DescribeApiUsagePlan": Action(requests.ServicePage, bindings.list_api_plans),
    "CreatePlugin": Action(plugin_requests.CreatePlugin, plugins.create_plugin),
    "DescribePlugin": Action(plugin_requests.PluginRequest, plugins.describe_plugin),
    "DescribePlugins": Action(plugin_requests.ListPlugins, plugins.list_plugins),
    "ModifyPlugin": Action(plugin_requests.ModifyPlugin, plugins.modify_plugin),
    "DeletePlugin": Action(plugin_requests.PluginRequest, plugins.delete_plugin),
    "AttachPlugin": Action(plugin_requests.AttachPlugin, attachments.attach),
    "DetachPlugin": Action(plugin_requests.DetachPlugin, attachments.detach),
    "DescribePluginApis": Action(plugin_requests.PluginPage, attachments.list_attached),
    "DescribeAllPluginApis": Action(plugin_requests.AttachablePage, attachments.list_attachable),
    "DescribePluginsByApi": Action(plugin_requests.PluginsByApi, attachments.list_plugins_of),
}
"""Every action that is done here."""

_GROUPS: Final = {
    "there are no custom domains; a service is reached by its own": (
        "BindSubDomain UnBindSubDomain ModifySubDomain DeleteServiceSubDomainMapping"
    ),
    "there are no applications; use keys and usage plans": (
        "CreateApiApp DeleteApiApp ModifyApiApp UpdateApiAppKey BindApiApp UnbindApiApp"
        " DescribeApiAppsStatus DescribeApiAppBindApisStatus DescribeApiBindApiAppsStatus"
        " DescribeApiForApiApp DescribeServiceForApiApp"
    ),
    "there are no access policies; use plugins of the type IPControl": (
        "CreateIPStrategy DeleteIPStrategy ModifyIPStrategy BindIPStrategy UnBindIPStrategy"
        " DescribeIPStrategy DescribeIPStrategysStatus DescribeIPStrategyApisStatus"
    ),
    "no documents are made of APIs": (
        "CreateAPIDoc DeleteAPIDoc ModifyAPIDoc BuildAPIDoc ResetAPIDocPassword DescribeAPIDocs"
        " DescribeAPIDocDetail"
    ),
    "there are no dedicated instances": (
        "CreateExclusiveInstances ModifyExclusiveInstance DescribeExclusiveInstances"
        " DescribeExclusiveInstancesStatus DescribeExclusiveInstanceDetail"
        " DescribeExclusiveInstanceRegions DescribeInstancesNetworkConfig"
    ),
    "there are no upstreams; use back ends of the type HTTP": (
        "CreateUpstream DeleteUpstream ModifyUpstream DescribeUpstreams DescribeUpstreamBindApis"
    ),
    "no log is kept of requests": "DescribeLogSearch",
    "there is no authentication by OAuth": "ModifyApiIncrement",
    "no OpenAPI document is read": "ImportOpenApi",
}

REASONS: Final[Mapping[str, str]] = {
    name: reason for reason, listed in _GROUPS.items() for name in listed.split()
}
"""Why an action of the API is not done here."""
