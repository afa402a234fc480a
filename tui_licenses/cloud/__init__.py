"""The license cloud: the server side of the HTTP contract in docs/protocol.md."""
