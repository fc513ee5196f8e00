"""Kubernetes. Only this package knows the engine; import `backends.kubernetes.driver` when a cluster is spoken to."""
