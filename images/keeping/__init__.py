"""Keeping house in the registry: tags that stay, room that is limited, what goes, and taking out what nothing names."""
