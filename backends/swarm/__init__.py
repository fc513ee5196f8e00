"""Docker Swarm. Only this package knows the engine's API; import `backends.swarm.driver` when a cluster is really spoken to."""
