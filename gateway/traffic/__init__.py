"""Traffic: what production wrote down, played again, and what came of it.

It knows neither plane: it reads files and talks HTTP, so that load tests can use it anywhere.
"""
