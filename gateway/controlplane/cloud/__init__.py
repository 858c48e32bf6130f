"""COLD: the cloud's API 3.0, as its official clients speak it, over the same control plane."""

from gateway.controlplane.cloud.app import CloudApi, key_pair

__all__ = ["CloudApi", "key_pair"]
