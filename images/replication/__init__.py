"""Images fetched from other registries and kept alike with them: copies, and the rules by which they are made."""
