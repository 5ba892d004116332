"""For all tests: properties are checked without a deadline, since machines are shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("shared-machine", deadline=None, database=None)
settings.load_profile("shared-machine")
