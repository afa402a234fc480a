"""The client side of the HTTP contract in docs/protocol.md."""
