"""Suspend, resume, archive, restore and delete a project with all that runs in it."""
