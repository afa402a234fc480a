"""A lab estate that looks like a real one, the same for the same random seed."""
