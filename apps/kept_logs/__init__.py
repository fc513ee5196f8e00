"""Logs of clusters that forget them: kept as they are written, and read together with what the cluster still has."""
