"""The console: the operators' back office at ``/console``, one file an area.

Every page names the permission it needs (``access.staff``). Whoever is no staff is told that
there is nothing here. Lists are keyset pages whose filters live in the address; a row opens in
the side panel, which is the same page without its frame.
"""
