"""COLD: the cloud's API 3.0, as its official clients speak it, over the same control plane."""

from gateway.controlplane.cloud.access import Access
from gateway.controlplane.cloud.app import CloudApi, key_pair
from gateway.controlplane.cloud.keys import parse_keys

__all__ = ["Access", "CloudApi", "key_pair", "parse_keys"]
