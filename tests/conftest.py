"""The test house: an embedded PostgreSQL in ``.cache/test-data``, quick hashing, clean books.

Of several processes (``pytest -n 2``) each has a folder and a server of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import certifi

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")

# Before Django reads its settings: tests never touch the data of `make run`.
_CACHE = Path(__file__).resolve().parent.parent / ".cache"
_DATA = _CACHE / (f"test-data-{_WORKER}" if _WORKER else "test-data")
os.environ["DJANGO_SETTINGS_MODULE"] = "markethall.config.settings"
os.environ["DATA_DIR"] = str(_DATA)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_DATA / "metrics")
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ["SANDBOX_WEBHOOK_SECRET"] = "whsec_" + "c2FuZGJveC1zZWNyZXQtZm9yLXRlc3Rz"
os.environ["ADMIN_EMAILS"] = "first-admin@example.com"

_DATA.mkdir(parents=True, exist_ok=True)
# Nobody is reached by TLS but peers that bring their own certificate, and each new client reads
# all authorities of the world, for a tenth of a second. Here there is one.
_END = "-----END CERTIFICATE-----\n"
_AUTHORITY = _DATA / "authority.pem"
_AUTHORITY.write_text(Path(certifi.where()).read_text().partition(_END)[0] + _END)
os.environ["SSL_CERT_FILE"] = str(_AUTHORITY)

if not os.environ.get("DATABASE_URL"):
    import psycopg

    from markethall.config.database import start_embedded

    _server = start_embedded(_DATA)
    # Nothing here outlives its test: no transaction waits for the disk.
    with psycopg.connect(_server.get_uri(), autocommit=True) as _db:
        _db.execute("ALTER SYSTEM SET fsync = off")
        _db.execute("SELECT pg_reload_conf()")

import django  # noqa: E402

django.setup()

pytest_plugins = ["house.emptying", "house.fixtures", "house.sharing", "house.till"]
