"""Trigrams, so that a part of an address finds its owner among a million. Made by hand: not
every PostgreSQL has the extension pg_trgm."""

from __future__ import annotations

from django.db import migrations

TRIGRAMS = """
CREATE FUNCTION accounts_trigrams(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(word, place, 3))
      FROM generate_series(1, length(word) - 2) AS place
$$;
CREATE INDEX accounts_email_part ON accounts_user USING gin (accounts_trigrams(email::text));
"""


class Migration(migrations.Migration):
    dependencies = (("accounts", "0001_initial"),)
    operations = (migrations.RunSQL(TRIGRAMS, migrations.RunSQL.noop),)
