"""COLD: what people and tools ask of a running gateway, on a listener of its own."""

from gateway.controlplane.app import control_app

__all__ = ["control_app"]
