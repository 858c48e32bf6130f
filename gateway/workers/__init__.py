"""A gateway of several processes: who holds the sockets, starts the others and replaces them.

The processes themselves are gateways like any other, each with a role of its own; they meet in the
store.
"""
