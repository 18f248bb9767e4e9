from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("django_jobs", "0003_notes_and_cancels"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="job",
            options={
                "base_manager_name": "objects",
                "default_permissions": ("view",),
                "permissions": [
                    ("requeue_job", "Can requeue jobs"),
                    ("cancel_job", "Can cancel jobs"),
                    ("force_cancel_job", "Can end running jobs by force"),
                    ("replay_deadletter", "Can replay dead letters"),
                    ("view_payload", "Can view sensitive arguments of jobs"),
                ],
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
            },
        ),
        migrations.AlterModelOptions(
            name="queue",
            options={
                "base_manager_name": "objects",
                "default_permissions": ("view",),
                "permissions": [
                    ("pause_queue", "Can pause and resume queues"),
                    ("purge_queue", "Can remove all jobs of a queue"),
                ],
                "verbose_name": "queue",
                "verbose_name_plural": "queues",
            },
        ),
    ]
