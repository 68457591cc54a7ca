"""The sandbox gateway: a gateway that works without one.

It keeps records of its own (``SandboxCheckout``, ``SandboxRefund``), shows a payment page, and
sends signed webhooks over HTTP by jobs of its own. It moves no money. Markethall talks to it
through the protocol only, as to any other.
"""
