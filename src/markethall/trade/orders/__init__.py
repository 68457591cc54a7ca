"""Orders: everything bought is one. Nothing is granted, unlocked or shipped without.

What always holds: totals are computed here from the lines; only allowed moves of status are
possible; every move is recorded with who and when. Lock taken: order, before any payment.
"""
