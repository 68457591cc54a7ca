"""The queue's own indexes serve its workers; these serve people who look for what went wrong."""

from __future__ import annotations

from django.db import migrations

MAKE = """
CREATE INDEX markethall_jobs_failed ON procrastinate_jobs (id) WHERE status = 'failed';
CREATE INDEX markethall_jobs_doing ON procrastinate_jobs (id) WHERE status = 'doing';
CREATE INDEX markethall_jobs_tried ON procrastinate_jobs (id) WHERE status = 'todo' AND attempts > 0;
"""
DROP = "DROP INDEX markethall_jobs_failed, markethall_jobs_doing, markethall_jobs_tried"


class Migration(migrations.Migration):
    dependencies = (("kernel", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job"))
    operations = (migrations.RunSQL(MAKE, DROP),)
