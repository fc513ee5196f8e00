from tests.cluster import kubernetes

__all__ = ["kubernetes"]
