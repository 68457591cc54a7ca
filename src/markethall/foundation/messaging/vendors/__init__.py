"""Who carries the mails: one file a vendor, chosen by ``MAIL_BACKEND``.

What always holds: a vendor's word is believed only when it is signed, and says nothing here but
what became of a mail of ours.
"""
