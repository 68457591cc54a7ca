"""Bespoke leads: somebody wants a piece made that is not for sale yet.

What always holds: a conversation is only ever added to; whoever asked needs no account, and
answers by the link in the mail. Lock taken: the lead.
"""
