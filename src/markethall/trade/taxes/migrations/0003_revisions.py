"""A change to tax rates leaves a mark, as one to the catalogue does."""

from __future__ import annotations

from django.db import migrations

TABLES = ("taxrate",)
ON_EACH = """
CREATE TRIGGER revise AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON taxes_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_revise();
"""


class Migration(migrations.Migration):
    dependencies = (("taxes", "0002_stated_rates"), ("catalog", "0003_revisions"))

    operations = (
        migrations.RunSQL(
            "".join(ON_EACH.format(table) for table in TABLES),
            "".join(f"DROP TRIGGER revise ON taxes_{table};" for table in TABLES),
        ),
    )
