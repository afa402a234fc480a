"""The dashboard: a Textual app over the service layer."""
