"""The pages of a project's images."""
