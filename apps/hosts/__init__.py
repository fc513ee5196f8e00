"""Hosts of a cluster closed for new instances, emptied, and opened again."""
