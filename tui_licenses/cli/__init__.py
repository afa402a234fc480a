"""The command line: everything the dashboard does, as commands."""
