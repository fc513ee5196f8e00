"""Looking into images: what is in them, what is known to be wrong with it, and how good that makes them."""
