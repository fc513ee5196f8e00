import core.rows
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lines of logs that Berth keeps itself."""

    dependencies = [
        ("apps", "0008_release_image_digest"),
        ("tenants", "0013_token_made_with"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptLog",
            fields=[
                ("id", models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("service", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("engine_id", models.CharField(max_length=100)),
                ("last_ns", models.BigIntegerField(default=0)),
                ("last_lines", models.PositiveIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("forgotten", models.BooleanField(default=False)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="kept_logs", to="apps.appenvironment"
                    ),
                ),
                ("project", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="tenants.project")),
                ("tenant", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="tenants.tenant")),
            ],
        ),
        migrations.CreateModel(
            name="KeptChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_ns", models.BigIntegerField()),
                ("last_ns", models.BigIntegerField()),
                ("lines", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField()),
                (
                    "lost",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("engine", "the cluster did not have it any more"),
                            ("fast", "it came too fast"),
                        ],
                        max_length=6,
                    ),
                ),
                ("packed", models.BinaryField()),
                (
                    "log",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="apps.keptlog"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="keptlog",
            index=models.Index(fields=["ended_at"], name="kept_log_old"),
        ),
        migrations.AddConstraint(
            model_name="keptlog",
            constraint=models.UniqueConstraint(fields=("place", "engine_id"), name="kept_log_once"),
        ),
        migrations.AddIndex(
            model_name="keptchunk",
            index=models.Index(fields=["log", "first_ns"], name="kept_chunk_order"),
        ),
    ]
