"""What every storey stands on: money, clock, ids, errors, locks, idempotency, events, jobs.

The kernel knows no domain. It imports nothing of Markethall.
"""
