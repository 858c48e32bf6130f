"""The law of the gateway, pure: values in, values out.

Nothing here reads a clock, throws dice, opens a file or knows a framework; only the standard
library is imported, with jsonpath-ng and RE2 allowed in `rules` alone.
"""
