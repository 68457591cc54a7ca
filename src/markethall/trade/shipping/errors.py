from __future__ import annotations

from markethall.kernel.errors import Conflict, Invalid, NotFound


class ShippingMethodMissing(NotFound):
    code, title = "shipping_method_not_found", "There is no such shipping method"


class ShippingMethodTaken(Conflict):
    code, title = "shipping_method_taken", "There is a shipping method of this code already"


class NothingShipsThere(Invalid):
    code, title = "nothing_ships_there", "None of our shipping methods goes there"


class AddressInvalid(Invalid):
    code, title = "address_invalid", "This address needs another look"


class ParcelMissing(NotFound):
    code, title = "shipment_not_found", "There is no such shipment"
