"""Who makes the pictures: one Protocol, one file a provider, one registry keyed by setting."""
