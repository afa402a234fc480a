"""Looks at everything the program depends on here, and says what is wrong and what to do."""
