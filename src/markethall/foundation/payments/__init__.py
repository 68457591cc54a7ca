"""Payments at gateways, refunds, and the inbox of their webhooks.

What always holds: an amount is ours, never the gateway's word; a provider is called outside any
transaction, between one that records the intent and one that records the outcome; a webhook is
stored once per (provider, event id) and settled by a job. Payments know no orders: they carry a
``reference``. Locks taken: payment.
"""
