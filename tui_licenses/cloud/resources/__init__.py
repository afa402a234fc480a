"""The resources of docs/protocol.md, one module for each kind of thing."""
