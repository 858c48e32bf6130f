"""HOT: plain ASGI from request to answer, no web framework and few hops.

request -> event -> decide -> invoke -> response. What can be known before the request is compiled
per snapshot; before the handler nothing is parsed twice, locked or awaited except the body.
"""
