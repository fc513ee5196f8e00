"""Archives of images that people upload: received in pieces, looked through, put into the registry."""
