"""The storages that files can lie in, each behind the same few verbs (``base.FileStore``).

What always holds: a storage that cannot be reached raises StorageUnavailable, a file that it has
not got FileNotFoundError, and nothing half-written is ever seen under a file's name. A vendor's
SDK is loaded when its storage is first used.
"""
