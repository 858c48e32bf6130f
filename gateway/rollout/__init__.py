"""Rollouts: an alias moves from one version to another step by step, watched, and back on its own.

What is decided is pure: a plan, what was seen, and a clock reading make the next move. The
controller carries moves out, one change each.
"""
