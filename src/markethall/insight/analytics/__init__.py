"""What is looked at: by whom lately, and how often in all.

What always holds: a view is counted once in half an hour for the same viewer; counts carry no
person. Lock taken: none.
"""
