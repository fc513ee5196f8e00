"""Programs for those who work on Berth."""
