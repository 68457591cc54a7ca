"""The JSON API under ``/api/``: one file an area, OpenAPI 3.1 generated from it."""
