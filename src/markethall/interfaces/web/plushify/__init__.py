"""Plushify's pages: from a photo to a plush toy of it, and the credits that pay for it."""
