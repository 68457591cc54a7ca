"""Who: users, roles, sessions, tokens, settings, addresses.

What always holds: an address (e-mail) belongs to one account; nobody signs in before the
address is verified; a token is kept as a digest and dies with the password it was made under;
what a role may do stands in ``permissions.py`` and nowhere else. Sign-up, verification, reset,
OAuth and TOTP are django-allauth's flows; this package shapes them.
"""
