"""Pages of signing up, in and out, and of the second factor. They call what the API calls."""
