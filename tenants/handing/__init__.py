"""Whom what somebody keeps for others goes to when they are removed."""
