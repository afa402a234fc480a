"""The commands: one file for each noun; each file registers itself in the root group."""
