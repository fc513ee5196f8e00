"""Clusters as their operators know them: connected, checked, offered to tenants, given new credentials, removed."""
