"""What all tests share: Hypothesis without deadlines, because machines are slow at times."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
