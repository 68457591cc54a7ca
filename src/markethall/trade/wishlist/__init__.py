"""What somebody would like to have one day, as they would have it made.

What always holds: a wishlist is seen by its owner, and by whoever has its link while it is shared.
Lock taken: none.
"""
