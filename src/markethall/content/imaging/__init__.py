"""Plush pictures: a generation turns an uploaded photo into a picture of a plush toy.

What always holds: a generation has one hold of credits, captured when it completes and released
when it fails or is cancelled; its status moves ``pending → processing → completed | failed``.
"""
