"""The sandbox gateway's payment page: a site of its own in spirit, without cookies. It is
mounted with the sandbox gateway only."""
