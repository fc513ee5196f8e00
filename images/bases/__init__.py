"""Images to build upon: the operator says which, tenants see their versions and how old they are."""
