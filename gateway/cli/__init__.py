"""The command line: one module per group of commands, imported when it is called.

Data goes to standard output and talk to standard error; exit codes are in `exits`.
"""

from gateway.cli.root import main

__all__ = ["main"]
