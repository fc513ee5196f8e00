"""A private Keystone, for tests and to try Berth with organizations, projects and roles of an identity service."""
