"""Example functions; they know nothing of the gateway that runs them."""
