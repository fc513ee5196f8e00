import core.rows
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from core.creation import CreateModels
from core.triggers import refuse


class Migration(migrations.Migration):
    """All tables of this package at once, for a new database; one made before goes on with the single steps."""

    replaces = [
        ('apps', '0001_initial'),
        ('apps', '0002_initial'),
        ('apps', '0003_refuse_changes'),
        ('apps', '0004_usage'),
        ('apps', '0005_events'),
        ('apps', '0006_held'),
        ('apps', '0007_cluster_offers'),
        ('apps', '0008_release_image_digest'),
        ('apps', '0009_kept_logs'),
    ]

    initial = True

    dependencies = [
        ('backends', '0003_kubernetes'),
        ('operations', '0001_initial'),
        ('tenants', '0013_token_made_with'),
    ]

    operations = [
        CreateModels(
            models=[
                migrations.CreateModel(
                    name='App',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('deleted_at', models.DateTimeField(null=True)),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='apps', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['project', '-id'], name='app_project')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True)), fields=('project', 'name'), name='app_name_in_project')],
                    },
                ),
                migrations.CreateModel(
                    name='Environment',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('stage', models.CharField(choices=[('dev', 'development'), ('test', 'test'), ('prod', 'production')], max_length=4)),
                        ('position', models.PositiveSmallIntegerField()),
                        ('protected', models.BooleanField(default=False)),
                        ('engine_name', models.CharField(editable=False, max_length=21, unique=True)),
                        ('cluster', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='environments', to='backends.cluster')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='environments', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'ordering': ['position'],
                        'constraints': [models.UniqueConstraint(fields=('project', 'name'), name='environment_name_in_project'), models.UniqueConstraint(fields=('project', 'position'), name='environment_position_in_project')],
                    },
                ),
                migrations.CreateModel(
                    name='Release',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('number', models.PositiveIntegerField()),
                        ('specification', models.JSONField()),
                        ('spec_hash', models.CharField(max_length=64)),
                        ('note', models.CharField(blank=True, max_length=200)),
                        ('created_by', models.UUIDField(null=True)),
                        ('created_by_name', models.CharField(max_length=150)),
                        ('app', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='apps.app')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('app', 'number'), name='release_number_in_app')],
                    },
                ),
                migrations.CreateModel(
                    name='AppEnvironment',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('generation', models.PositiveIntegerField(default=0)),
                        ('stopped', models.BooleanField(default=False)),
                        ('instances', models.JSONField(default=dict)),
                        ('restarts', models.JSONField(default=dict)),
                        ('engine_name', models.CharField(editable=False, max_length=21, unique=True)),
                        ('app', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='places', to='apps.app')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                        ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='places', to='apps.environment')),
                        ('release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='apps.release')),
                        ('held', models.BooleanField(default=False)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('app', 'environment'), name='app_once_in_environment')],
                    },
                ),
                migrations.CreateModel(
                    name='Deployment',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('number', models.PositiveIntegerField()),
                        ('kind', models.CharField(choices=[('deploy', 'deploy'), ('rollback', 'roll back'), ('scale', 'scale'), ('restart', 'restart'), ('stop', 'stop'), ('start', 'start'), ('delete', 'delete')], max_length=8)),
                        ('before', models.JSONField(default=dict)),
                        ('generation', models.PositiveIntegerField()),
                        ('result', models.CharField(blank=True, max_length=16)),
                        ('created_by_name', models.CharField(max_length=150)),
                        ('app', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='apps.app')),
                        ('operation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='deployment', to='operations.operation')),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                        ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='apps.environment')),
                        ('release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='apps.release')),
                        ('replaced', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='apps.release')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['place', '-number'], name='deployment_place')],
                        'constraints': [models.UniqueConstraint(fields=('app', 'number'), name='deployment_number_in_app')],
                    },
                ),
                migrations.CreateModel(
                    name='InstanceEnd',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('service', models.CharField(max_length=40)),
                        ('number', models.PositiveIntegerField()),
                        ('engine_id', models.CharField(max_length=100)),
                        ('reason', models.JSONField(null=True)),
                        ('exit_code', models.IntegerField(null=True)),
                        ('last_lines', models.JSONField(default=list)),
                        ('ended_at', models.DateTimeField()),
                        ('deployment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ends', to='apps.deployment')),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ends', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('place', 'engine_id'), name='instance_end_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ObservedInstance',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('service', models.CharField(max_length=40)),
                        ('number', models.PositiveIntegerField()),
                        ('engine_id', models.CharField(max_length=100)),
                        ('state', models.CharField(max_length=12)),
                        ('wanted', models.BooleanField()),
                        ('revision', models.CharField(blank=True, max_length=32)),
                        ('started_at', models.DateTimeField(null=True)),
                        ('exit_code', models.IntegerField(null=True)),
                        ('reason', models.JSONField(null=True)),
                        ('addresses', models.JSONField(default=list)),
                        ('restarts', models.PositiveIntegerField(default=0)),
                        ('seen_at', models.DateTimeField()),
                        ('host', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to='backends.host')),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='observed_instances', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                        ('cpu_millicores', models.PositiveIntegerField(null=True)),
                        ('memory_bytes', models.PositiveBigIntegerField(null=True)),
                        ('usage_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['place', 'service', 'number'], name='observed_instance_number')],
                        'constraints': [models.UniqueConstraint(fields=('place', 'engine_id'), name='observed_instance_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ObservedService',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('service', models.CharField(max_length=40)),
                        ('wanted', models.PositiveIntegerField()),
                        ('running', models.PositiveIntegerField()),
                        ('revision', models.CharField(blank=True, max_length=32)),
                        ('phase', models.CharField(max_length=12)),
                        ('reason', models.JSONField(null=True)),
                        ('seen_at', models.DateTimeField()),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='services', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('place', 'service'), name='observed_service_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ReleaseImage',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('service', models.CharField(max_length=40)),
                        ('reference', models.CharField(max_length=300)),
                        ('digest', models.CharField(max_length=80)),
                        ('pinned', models.CharField(max_length=400)),
                        ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to='apps.release')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['digest'], name='release_image_digest')],
                        'constraints': [models.UniqueConstraint(fields=('release', 'service'), name='release_image_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ServiceName',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=63)),
                        ('app', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='apps.app')),
                        ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='apps.environment')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('environment', 'name'), name='service_name_once')],
                    },
                ),
                migrations.CreateModel(
                    name='PlaceEvent',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('code', models.CharField(choices=[('started', 'started'), ('ended', 'ended'), ('crashed', 'crashed'), ('unhealthy', 'failed its health check'), ('not_starting', 'did not start'), ('waiting', 'waits for a host'), ('host_lost', 'lost its host')], max_length=12)),
                        ('service', models.CharField(max_length=40)),
                        ('number', models.PositiveIntegerField(null=True)),
                        ('host', models.CharField(blank=True, max_length=200)),
                        ('reason', models.JSONField(null=True)),
                        ('exit_code', models.IntegerField(null=True)),
                        ('count', models.PositiveIntegerField(default=1)),
                        ('first_at', models.DateTimeField()),
                        ('last_at', models.DateTimeField()),
                        ('instances', models.JSONField(default=list)),
                        ('key', models.CharField(max_length=130)),
                        ('end', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='apps.instanceend')),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['place', '-last_at'], name='place_event_newest'), models.Index(fields=['last_at'], name='place_event_old')],
                        'constraints': [models.UniqueConstraint(fields=('place', 'key'), name='place_event_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ClusterOffer',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('cluster', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='backends.cluster')),
                        ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('cluster', 'tenant'), name='cluster_offered_once'), models.UniqueConstraint(condition=models.Q(('tenant__isnull', True)), fields=('cluster',), name='cluster_offered_to_all_once')],
                    },
                ),
                migrations.CreateModel(
                    name='KeptLog',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('service', models.CharField(max_length=40)),
                        ('number', models.PositiveIntegerField()),
                        ('engine_id', models.CharField(max_length=100)),
                        ('last_ns', models.BigIntegerField(default=0)),
                        ('last_lines', models.PositiveIntegerField(default=0)),
                        ('size', models.PositiveBigIntegerField(default=0)),
                        ('forgotten', models.BooleanField(default=False)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('place', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kept_logs', to='apps.appenvironment')),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['ended_at'], name='kept_log_old')],
                        'constraints': [models.UniqueConstraint(fields=('place', 'engine_id'), name='kept_log_once')],
                    },
                ),
                migrations.CreateModel(
                    name='KeptChunk',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('first_ns', models.BigIntegerField()),
                        ('last_ns', models.BigIntegerField()),
                        ('lines', models.PositiveIntegerField()),
                        ('size', models.PositiveIntegerField()),
                        ('lost', models.CharField(blank=True, choices=[('', ''), ('engine', 'the cluster did not have it any more'), ('fast', 'it came too fast')], max_length=6)),
                        ('packed', models.BinaryField()),
                        ('log', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='apps.keptlog')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['log', 'first_ns'], name='kept_chunk_order')],
                    },
                ),
            ],
        ),
        refuse("apps_release", "update", "delete"),
        refuse("apps_releaseimage", "update", "delete"),
    ]
