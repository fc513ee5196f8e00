"""Which images may run in which stage of a project: by digest, by approval of others, and only as long as it holds."""
