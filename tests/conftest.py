"""What all tests share: Hypothesis without deadlines, because machines are slow at times."""

from __future__ import annotations

# httpx loads it late and keeps its exceptions; tests that run pytest within pytest would unload it.
import httpcore  # noqa: F401
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("long", settings.get_profile("house"), max_examples=2_000)
settings.load_profile("house")
