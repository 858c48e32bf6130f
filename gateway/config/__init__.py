"""stages.toml: values to changes, mistakes to places. The file declares; nothing here is live."""

from gateway.config.diagnostics import ConfigurationInvalid, Diagnostic, render
from gateway.config.load import Declaration, load

__all__ = ["ConfigurationInvalid", "Declaration", "Diagnostic", "load", "render"]
