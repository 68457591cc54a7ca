"""How goods are sent, what that costs, and the parcels that have been.

What always holds: a method's price is set here, never by a caller; a parcel holds no more pieces of
a line than were bought. A shipment names its order by reference: shipping knows no orders. Lock
taken: none of its own; the order's.
"""
