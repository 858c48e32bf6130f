"""The gateway simulator: API stages bound to function aliases, on a laptop."""

__version__ = "0.1.0"
