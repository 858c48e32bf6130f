"""COLD: a small object store in the cloud's place, for the code packages that its tools upload."""

from gateway.controlplane.objects.app import ObjectsApi
from gateway.controlplane.objects.signatures import Signers
from gateway.controlplane.objects.store import Objects

__all__ = ["Objects", "ObjectsApi", "Signers"]
