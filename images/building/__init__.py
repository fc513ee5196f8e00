"""Images built from sources: an uploaded archive or a git address with a Dockerfile, by the builder of a cluster."""
