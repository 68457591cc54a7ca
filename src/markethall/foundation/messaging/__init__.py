"""Messages to people. A mail is written in the transaction of what it tells, and sent by a job.

What always holds: no mail of a change that rolled back, none lost of one that did not; each is
logged with its state, which vendors' webhooks move forward and never back. Who cannot or does not
want to be written to is left alone (``rules.withheld``). In the sandbox the log itself is the
outbox. A mail is locked before a suppression.
"""
