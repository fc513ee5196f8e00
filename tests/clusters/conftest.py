"""The real clusters that some of these tests connect."""

from tests.cluster import kubernetes
from tests.engine import engine

__all__ = ["engine", "kubernetes"]
