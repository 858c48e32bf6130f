"""The console: pages that watch and steer a running gateway, in the browser of this machine.

A page is a shell and an ES module; what it shows it asks the REST API, as every other client does.
There is no build step, and nothing comes from the network.
"""

from gateway.console.app import Console

__all__ = ["Console"]
