"""COLD: what people and tools ask of a running gateway, on a listener of its own."""

from gateway.controlplane.app import control_app
from gateway.controlplane.service import Control

__all__ = ["Control", "control_app"]
