import core.rows
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from core.creation import CreateModels


class Migration(migrations.Migration):
    """All tables of this package at once, for a new database; one made before goes on with the single steps."""

    replaces = [
        ('observe', '0001_initial'),
    ]

    initial = True

    dependencies = [
        ('apps', '0004_usage'),
        ('tenants', '0002_token_place'),
    ]

    operations = [
        CreateModels(
            models=[
                migrations.CreateModel(
                    name='UsageOverflow',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('forgotten', models.PositiveIntegerField(default=0)),
                        ('forgotten_at', models.DateTimeField(null=True)),
                        ('left_out', models.PositiveIntegerField(default=0)),
                        ('left_out_at', models.DateTimeField(null=True)),
                        ('tenant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='usage_overflow', to='tenants.tenant')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='UsageSeries',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('service', models.CharField(max_length=40)),
                        ('number', models.PositiveIntegerField()),
                        ('engine_id', models.CharField(max_length=100)),
                        ('started_at', models.DateTimeField(null=True)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('failed', models.BooleanField(default=False)),
                        ('reason', models.JSONField(null=True)),
                        ('exit_code', models.IntegerField(null=True)),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['tenant', 'ended_at'], name='usage_series_tenant')],
                        'constraints': [models.UniqueConstraint(fields=('place', 'engine_id'), name='usage_series_once')],
                    },
                ),
                migrations.CreateModel(
                    name='UsageChunk',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('step', models.PositiveSmallIntegerField()),
                        ('slot', models.PositiveSmallIntegerField()),
                        ('starts', models.PositiveBigIntegerField()),
                        ('points', models.BinaryField()),
                        ('series', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='observe.usageseries')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['step', 'starts'], name='usage_chunk_age')],
                        'constraints': [models.UniqueConstraint(fields=('series', 'step', 'slot'), name='usage_chunk_once')],
                    },
                ),
            ],
        ),
    ]
