"""The routing as configuration for engines that serve more traffic than one machine has."""

from gateway.config.elsewhere.engines import ENGINES
from gateway.config.elsewhere.writing import Wanted, Written, write

__all__ = ["ENGINES", "Wanted", "Written", "write"]
