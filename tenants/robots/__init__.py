"""Robot accounts: users that a project owns, for programs that outlive whoever set them up."""
