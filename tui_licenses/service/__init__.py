"""What screens and commands call: one verb for each thing a user can do."""
