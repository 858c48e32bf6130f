"""REST: one table of operations, from which the routes and the OpenAPI document both come."""
