"""Polar, a merchant of record: it sells in its own name, and adds the taxes.

Our amount is the price as listed, before tax: a payment of it with tax on top is no other amount.
A payment's ``gateway_ref`` is the checkout, its ``charge_ref`` Polar's order. Polar offers no
idempotency keys: what must happen once is asked for before it is done.
"""
