"""The demo data of the sandbox, made by the same acts as a person's, so that it cannot rot."""
