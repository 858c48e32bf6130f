"""What all tests share: patient Hypothesis, and Ctrl-C for the commands that they start."""

from __future__ import annotations

import signal

# httpx loads it late and keeps its exceptions; tests that run pytest within pytest would unload it.
import httpcore  # noqa: F401
from hypothesis import settings

# Machines are slow at times.
settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("long", settings.get_profile("house"), max_examples=2_000)
settings.load_profile("house")

# A shell that starts the tests in its background has them, and all that they start, ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
