"""Settings that the operator changes while the hall is open: kept in the database, typed, with
defaults. What always holds: a value that is stored has passed the checks of ``rules.py``.
"""
