"""The gateways' money against the books: what moved there, what is posted here, and where the two
differ.

What always holds: a comparison changes neither side; each of its differences names both amounts
and a reason. It knows no orders: it carries a reference. No lock is taken.
"""
