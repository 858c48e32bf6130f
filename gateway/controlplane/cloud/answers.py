"""Functions and versions as the cloud tells them; what has no meaning here is told as switched off.

A local Python runs every version, whatever runtime a client named: that Python is told.
"""

from __future__ import annotations

import asyncio
import sys
from hashlib import sha256
from math import ceil
from typing import Final

from gateway.controlplane.cloud.asked import Fields
from gateway.controlplane.cloud.limits import TYPES
from gateway.controlplane.cloud.reading import NAMESPACE
from gateway.controlplane.cloud.times import Times
from gateway.controlplane.service import Control
from gateway.core import names
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function
from gateway.store.packages import Package, to_zip

RUNTIME: Final = f"Python{sys.version_info.major}.{sys.version_info.minor}"
"""What runs here."""

ACTIVE: Final = "Active"
"""The status of whatever is there: a change is whole when it is answered."""

_WORDS: Final = {word: cloud for cloud, word in TYPES.items()}
_OFF: Final[Fields] = {
    "AccessInfo": {"Host": "", "Vip": ""},
    "AsyncRunEnable": "FALSE",
    "CfsConfig": {"CfsInsList": []},
    "ClsLogsetId": "",
    "ClsTopicId": "",
    "CodeError": "",
    "CodeResult": "success",
    "DeadLetterConfig": {"Type": "", "Name": "", "FilterType": ""},
    "DnsCache": "FALSE",
    "EipConfig": {"EipFixed": "FALSE", "Eips": []},
    "ErrNo": 0,
    "ImageConfig": {
        "ImageType": "",
        "ImageUri": "",
        "RegistryId": "",
        "EntryPoint": "",
        "Command": "",
        "Args": "",
        "ContainerImageAccelerate": False,
        "ImagePort": 0,
    },
    "InitTimeout": 65,
    "InstallDependency": "FALSE",
    "InstanceConcurrencyConfig": {
        "DynamicEnabled": "FALSE",
        "MaxConcurrency": 1,
        "InstanceIsolationEnabled": "FALSE",
        "Type": "",
        "MixNodeConfig": [],
        "SessionConfig": {
            "SessionSource": "",
            "SessionName": "",
            "MaximumConcurrencySessionPerInstance": 0,
            "MaximumTTLInSeconds": 0,
            "MaximumIdleTimeInSeconds": 0,
            "SessionPath": "",
            "IdleTimeoutStrategy": "",
        },
    },
    "IntranetConfig": {"IpFixed": "DISABLE", "IpAddress": []},
    "L5Enable": "FALSE",
    "Layers": [],
    "OnsEnable": "FALSE",
    "ProtocolParams": {"WSParams": {"IdleTimeOut": 0}},
    "ProtocolType": "",
    "PublicNetConfig": {
        "PublicNetStatus": "ENABLE",
        "EipConfig": {"EipStatus": "DISABLE", "EipAddress": []},
    },
    "Role": "",
    "TraceEnable": "FALSE",
    "UseGpu": "FALSE",
    "VpcConfig": {"VpcId": "", "SubnetId": ""},
}


def configuration_plain(version: FunctionVersion) -> Fields:
    """How a version runs."""
    configuration = version.configuration
    variables = configuration.environment.items()
    return {
        "Namespace": NAMESPACE,
        "Description": version.description,
        "Handler": configuration.handler,
        "MemorySize": configuration.memory,
        "Timeout": ceil(configuration.timeout),
        "Runtime": RUNTIME,
        "Type": _WORDS[configuration.type],
        "Environment": {"Variables": [{"Key": name, "Value": value} for name, value in variables]},
    }


def function_plain(version: FunctionVersion, times: Times) -> Fields:
    """One version with everything that can be told of its function."""
    return {
        **_OFF,
        **_identity(version.function),
        **configuration_plain(version),
        **version_times(version, times),
        "Qualifier": version.number,
        "FunctionVersion": version.number,
        "AvailableStatus": "Available",
    }


def summary_plain(function: Function, times: Times) -> Fields:
    """A function in a list."""
    latest = function.versions[names.LATEST]
    plain = configuration_plain(latest)
    return {
        **_identity(function.name),
        **{name: plain[name] for name in ("Runtime", "Namespace", "Description", "Type")},
        **version_times(latest, times),
        "AsyncRunEnable": "FALSE",
        "TraceEnable": "FALSE",
        "ReservedConcurrencyMem": 0,
        "TotalProvisionedConcurrencyMem": 0,
    }


def version_plain(version: FunctionVersion, times: Times) -> Fields:
    """A version in a list."""
    return {
        "Version": version.number,
        "Description": version.description,
        **version_times(version, times),
        "Status": ACTIVE,
    }


def version_times(version: FunctionVersion, times: Times) -> Fields:
    """When a version was made and altered; a function's times are those of `$LATEST`."""
    path = ("functions", version.function, "versions", version.number)
    return {"AddTime": times.added(*path), "ModTime": times.altered(*path)}


def source_of(version: FunctionVersion, package: Package) -> str:
    """The text of the file with the handler; empty where it is none."""
    module = version.configuration.handler.rpartition(".")[0]
    content = package.files.get(f"{module.replace('.', '/')}.py", b"")
    return content.decode(errors="replace")


async def zip_of(control: Control, version: FunctionVersion) -> tuple[Package, bytes]:
    """The code of a version, and the archive that the cloud would keep of it."""
    package = await control.package_of(version.function, version.number)
    return package, await asyncio.to_thread(to_zip, package)


async def code_size(control: Control, version: FunctionVersion) -> int:
    """The bytes of a version's archive."""
    return len((await zip_of(control, version))[1])


def _identity(name: str) -> Fields:
    return {
        "FunctionName": name,
        "FunctionId": f"lam-{sha256(name.encode()).hexdigest()[:8]}",
        "Status": ACTIVE,
        "StatusDesc": "",
        "StatusReasons": [],
        "Tags": [],
    }
