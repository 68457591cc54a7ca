"""What somebody means to buy: kept in the database, for visitors and for users.

What always holds: a line has no price of its own, only the one last seen; a visitor's cart is
reached by a secret of which a digest is kept; at sign-in it joins the one of that person, and no
other. Lock taken: the cart, before the order; who holds an order waits for no cart.
"""
