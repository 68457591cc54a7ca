"""Codes that make an order cheaper, within limits.

What always holds: a code is never used more often than it may, in all and by one customer, however
many checkouts run at once; a use is given back when its order is not paid. Lock taken: the voucher,
after stock.
"""
