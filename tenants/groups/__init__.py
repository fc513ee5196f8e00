"""Groups of people in a tenant: a role given to a group is held by everybody in it, as long as they are in it."""
