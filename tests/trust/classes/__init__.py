"""One module for each class of faults, named for its id; each holds one `CLASS`."""
