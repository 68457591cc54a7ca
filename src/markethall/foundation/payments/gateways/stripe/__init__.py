"""The Stripe gateway: hosted Checkout, PaymentIntents, refunds, disputes, customers, portal.

Stripe's SDK is imported in this package only, which is loaded only when Stripe is configured or
a stored payment names it. Every call names the API version that the SDK was made for, and every
write carries an idempotency key. Amounts are converted in ``amounts``, what Stripe answers is
read in ``truths``, what it sends in ``notices``.
"""
