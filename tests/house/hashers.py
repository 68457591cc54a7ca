from django.contrib.auth.hashers import BCryptSHA256PasswordHasher


class QuickBCrypt(BCryptSHA256PasswordHasher):
    """The product's hasher at the fewest rounds bcrypt knows."""

    rounds = 4
