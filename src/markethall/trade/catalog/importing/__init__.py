"""Products, categories and collections from files, and into files again.

What always holds: a line that is wrong spoils no other; what is in the shop already as the file
has it is not written again; nothing is deleted. Each thing is saved in a transaction of its own.
"""
