"""COLD: a proxy front for tools that know no other hosts than the cloud's.

It lets in what is for this gateway's control plane, and forwards to nowhere else.
"""

from gateway.intercept.app import FrontApp
from gateway.intercept.authority import EXTRA, Authority, AuthorityUnusable, ExtraMissing
from gateway.intercept.front import Tunnels, front_protocol
from gateway.intercept.hosts import Kind
from gateway.intercept.telling import Once

__all__ = [
    "EXTRA",
    "Authority",
    "AuthorityUnusable",
    "ExtraMissing",
    "FrontApp",
    "Kind",
    "Once",
    "Tunnels",
    "front_protocol",
]
