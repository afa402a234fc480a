"""The license cloud: its contract, its store, its administration."""
