"""What a country takes of a sale: stated rates, and whether prices contain them.

What always holds: a tax is rounded once a line, halves away from zero, and the total is the sum of
the lines. Lock taken: none.
"""
