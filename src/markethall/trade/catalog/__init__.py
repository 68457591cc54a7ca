"""What is for sale: offers, bought as they are, and products, configured by whoever buys them.

What always holds: a price is set here, never by a caller; a configuration is checked and priced by
``rules.configure`` alone; what can be counted is a variant, one for each combination of the options
that are stocked. Lock taken: none.
"""
