"""Webhooks: what happens to a project's images is sent, signed, to addresses that the project chose."""
