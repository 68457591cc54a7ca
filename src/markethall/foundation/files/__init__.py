"""Files of people: checked on arrival, stored under random names, reached by links that expire.

What always holds: a stored picture has been decoded and encoded again by us, so it carries no
metadata and is what its content type says; a row without a file is possible after a crash, a
file without a row is swept.
"""
