"""What `./berth` does before Django is there: install, keys, engine, processes. Standard library only."""
