"""The dashboard's state as values: events in, rows out."""
