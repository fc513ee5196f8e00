"""A cluster in memory, for tests that are about something else, with moods for what goes wrong."""

from backends.fake.driver import FakeDriver
from backends.fake.world import Mood

__all__ = ["FakeDriver", "Mood"]
