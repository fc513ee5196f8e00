"""Access reviews: everybody's roles are looked at again until a day, and what nobody confirms ends."""
