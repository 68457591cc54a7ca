"""A change to ways to send and what they cost leaves a mark, as one to the catalogue does."""

from __future__ import annotations

from django.db import migrations

TABLES = ("shippingmethod", "shippingprice")
ON_EACH = """
CREATE TRIGGER revise AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON shipping_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_revise();
"""


class Migration(migrations.Migration):
    dependencies = (("shipping", "0002_methods"), ("catalog", "0003_revisions"))

    operations = (
        migrations.RunSQL(
            "".join(ON_EACH.format(table) for table in TABLES),
            "".join(f"DROP TRIGGER revise ON shipping_{table};" for table in TABLES),
        ),
    )
