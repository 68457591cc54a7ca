"""Gateways: one protocol (``base``), one package each, chosen by setting (``registry``).

A gateway keeps no state of ours. It is called outside any transaction, and every call that
moves money carries our id as the idempotency key, so that calling twice moves once.
"""
