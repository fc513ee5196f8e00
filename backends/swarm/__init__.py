"""Docker Swarm. Only this package knows the engine; import `backends.swarm.driver` when a cluster is spoken to."""
