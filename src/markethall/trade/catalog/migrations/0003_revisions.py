"""Every change to what is for sale, and at what price, leaves a new mark, whoever makes it.

A transaction marks a slot that no other holds, so that writers neither wait for one another nor
lock each other out; the marks together name the state that was committed.
"""

from __future__ import annotations

from django.db import migrations

MARK = """
CREATE FUNCTION catalog_revise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    FOR free IN 1..32767 LOOP
        IF pg_try_advisory_xact_lock('catalog_revision'::regclass::oid::integer, free) THEN
            INSERT INTO catalog_revision (slot, mark) VALUES (free, gen_random_uuid())
            ON CONFLICT (slot) DO UPDATE SET mark = excluded.mark;
            RETURN NULL;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'more transactions than slots write the catalogue at once';
END $$;
"""
TABLES = (
    "category", "collection", "collectionitem", "facet", "option", "optionvalue", "priceeffect",
    "product", "productimage", "productprice",
)  # fmt: skip
ON_EACH = """
CREATE TRIGGER revise AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON catalog_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_revise();
"""


class Migration(migrations.Migration):
    dependencies = (("catalog", "0002_credit_packs"),)

    operations = (
        migrations.RunSQL(
            MARK + "".join(ON_EACH.format(table) for table in TABLES),
            "".join(f"DROP TRIGGER revise ON catalog_{table};" for table in TABLES)
            + "DROP FUNCTION catalog_revise();",
        ),
    )
