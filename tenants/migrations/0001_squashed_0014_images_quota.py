import core.rows
import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from core.creation import CreateModels
from core.triggers import refuse

SEALED = "OLD.sealed_at IS NOT NULL"
FIRST = [  # place, Keystone's role, ours
    ("domain", "manager", "tenant.owner"),
    ("project", "manager", "tenant.admin"),
    ("project", "member", "tenant.member"),
    ("project", "reader", "project.guest"),
    ("project", "developer", "project.developer"),
    ("project", "releaser", "project.release_manager"),
    ("project", "auditor", "tenant.auditor"),
    ("system", "operator", "platform.operator"),
]


def first_mappings(apps, schema_editor):
    """What an operator finds in the table at first; all of it can be changed there."""
    RoleMapping = apps.get_model("tenants", "RoleMapping")
    RoleMapping.objects.bulk_create(
        RoleMapping(place=place, keystone_role=theirs, role=ours) for place, theirs, ours in FIRST
    )


class Migration(migrations.Migration):
    """All tables of this package at once, for a new database; one made before goes on with the single steps."""

    replaces = [
        ('tenants', '0001_initial'),
        ('tenants', '0002_token_place'),
        ('tenants', '0003_people_and_notices'),
        ('tenants', '0004_keystone'),
        ('tenants', '0005_requests'),
        ('tenants', '0006_quota'),
        ('tenants', '0007_lifecycle'),
        ('tenants', '0009_roles'),
        ('tenants', '0010_review'),
        ('tenants', '0011_robots'),
        ('tenants', '0012_groups'),
        ('tenants', '0013_token_made_with'),
        ('tenants', '0014_images_quota'),
    ]

    initial = True

    dependencies = [
        ('audit', '0002_refuse_changes'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateModels(
            models=[
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                        ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                        ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('source', models.CharField(default='local', max_length=40)),
                        ('external_id', models.CharField(max_length=100, null=True)),
                        ('disabled_at', models.DateTimeField(null=True)),
                        ('language', models.CharField(blank=True, max_length=10)),
                        ('theme', models.CharField(blank=True, max_length=5)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                        ('keys', models.BooleanField(default=True)),
                        ('reader', models.BooleanField(default=False)),
                        ('recent', models.JSONField(blank=True, default=list)),
                        ('time_zone', models.CharField(blank=True, max_length=64)),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('checked_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'verbose_name': 'user',
                        'verbose_name_plural': 'users',
                        'abstract': False,
                        'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='user_source_id')],
                    },
                    managers=[
                        ('objects', django.contrib.auth.models.UserManager()),
                    ],
                ),
                migrations.CreateModel(
                    name='Organization',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('source', models.CharField(default='local', max_length=40)),
                        ('external_id', models.CharField(max_length=100, null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='organization_source_id')],
                    },
                ),
                migrations.CreateModel(
                    name='Tenant',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('source', models.CharField(default='local', max_length=40)),
                        ('external_id', models.CharField(max_length=100, null=True)),
                        ('state', models.CharField(default='active', max_length=12)),
                        ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='tenants.organization')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='tenant_source_id')],
                    },
                ),
                migrations.CreateModel(
                    name='Project',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('state', models.CharField(choices=[('active', 'active'), ('suspended', 'suspended'), ('archived', 'archived'), ('deleted', 'deleted')], default='active', max_length=12)),
                        ('deleted_at', models.DateTimeField(null=True)),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='projects', to='tenants.tenant')),
                        ('state_since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('state_by', models.CharField(blank=True, max_length=150)),
                        ('state_reason', models.CharField(blank=True, max_length=500)),
                        ('earlier', models.CharField(blank=True, max_length=40)),
                        ('purged_at', models.DateTimeField(null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('purged_at__isnull', True)), fields=('tenant', 'name'), name='project_name_in_tenant')],
                    },
                ),
                migrations.CreateModel(
                    name='Token',
                    fields=[
                        ('digest', models.CharField(max_length=128, primary_key=True, serialize=False)),
                        ('token_key', models.CharField(db_index=True, max_length=25)),
                        ('created', models.DateTimeField(auto_now_add=True)),
                        ('expiry', models.DateTimeField(blank=True, null=True)),
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, unique=True)),
                        ('name', models.CharField(max_length=60)),
                        ('scopes', models.JSONField(default=list)),
                        ('last_used_at', models.DateTimeField(null=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='auth_token_set', to=settings.AUTH_USER_MODEL)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.project')),
                        ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                        ('barred', models.TextField(blank=True, db_default='', default='')),
                        ('made_with', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.KNOX_TOKEN_MODEL)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('user', 'name'), name='token_name_of_user')],
                    },
                ),
                migrations.CreateModel(
                    name='Session',
                    fields=[
                        ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                        ('session_data', models.TextField(verbose_name='session data')),
                        ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                        ('id', models.UUIDField(editable=False, unique=True)),
                        ('address', models.CharField(blank=True, max_length=45)),
                        ('client', models.CharField(blank=True, max_length=300)),
                        ('created_at', models.DateTimeField()),
                        ('seen_at', models.DateTimeField()),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name': 'session',
                        'verbose_name_plural': 'sessions',
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='Notice',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('kind', models.CharField(max_length=40)),
                        ('level', models.CharField(choices=[('ok', 'Ok'), ('warn', 'Warn'), ('bad', 'Bad')], max_length=4)),
                        ('params', models.JSONField(default=dict)),
                        ('link', models.CharField(blank=True, max_length=400)),
                        ('about', models.CharField(blank=True, max_length=120)),
                        ('read_at', models.DateTimeField(null=True)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.project')),
                        ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['user', 'read_at'], name='notice_unread'), models.Index(fields=['created_at'], name='notice_created')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('about', ''), _negated=True), fields=('user', 'about'), name='notice_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SyncState',
                    fields=[
                        ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                        ('worked_at', models.DateTimeField(null=True)),
                        ('took_ms', models.PositiveIntegerField(default=0)),
                        ('tried_at', models.DateTimeField(null=True)),
                        ('problem', models.CharField(blank=True, max_length=60)),
                    ],
                ),
                migrations.CreateModel(
                    name='RoleMapping',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('place', models.CharField(choices=[('project', 'on a project'), ('domain', 'on a domain: in all of its projects'), ('system', 'on the system')], max_length=8)),
                        ('keystone_role', models.CharField(max_length=255)),
                        ('external_id', models.CharField(blank=True, max_length=64)),
                        ('role', models.CharField(max_length=60)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('place', 'keystone_role'), name='role_mapping_once'), models.CheckConstraint(condition=models.Q(('keystone_role__iexact', 'admin'), _negated=True), name='role_mapping_never_admin')],
                    },
                ),
                migrations.CreateModel(
                    name='KeystoneWrite',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('deed', models.CharField(choices=[('give', 'give'), ('take', 'take')], max_length=4)),
                        ('role', models.CharField(max_length=60)),
                        ('keystone_role', models.CharField(max_length=64)),
                        ('attempts', models.PositiveIntegerField(default=0)),
                        ('problem', models.CharField(blank=True, max_length=300)),
                        ('done_at', models.DateTimeField(null=True)),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['done_at'], name='keystone_write_open')],
                    },
                ),
                migrations.CreateModel(
                    name='Invitation',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('role', models.CharField(max_length=60)),
                        ('person', models.CharField(max_length=150)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('ends_at', models.DateTimeField(null=True)),
                        ('digest', models.CharField(max_length=64, unique=True)),
                        ('expires_at', models.DateTimeField()),
                        ('accepted_at', models.DateTimeField(null=True)),
                        ('revoked_at', models.DateTimeField(null=True)),
                        ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='tenants.tenant')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='Request',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('kind', models.CharField(max_length=20)),
                        ('subject', models.CharField(max_length=120)),
                        ('payload', models.JSONField(default=dict)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('state', models.CharField(choices=[('open', 'open'), ('approved', 'approved'), ('rejected', 'rejected'), ('withdrawn', 'withdrawn'), ('expired', 'expired')], default='open', max_length=10)),
                        ('expires_at', models.DateTimeField()),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('decision_reason', models.CharField(blank=True, max_length=500)),
                        ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to=settings.AUTH_USER_MODEL)),
                        ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['state', 'tenant'], name='request_open')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='request_decided_by_another'), models.UniqueConstraint(condition=models.Q(('project__isnull', True), ('state', 'open')), fields=('kind', 'subject', 'tenant'), name='request_once_tenant'), models.UniqueConstraint(condition=models.Q(('project__isnull', False), ('state', 'open')), fields=('kind', 'subject', 'project'), name='request_once_project')],
                    },
                ),
                migrations.CreateModel(
                    name='Quota',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('resource', models.CharField(choices=[('cpu', 'CPU'), ('memory', 'Memory'), ('storage', 'Storage'), ('instances', 'Instances'), ('routes', 'Routes'), ('images', 'Images in the registry'), ('projects', 'Projects')], max_length=10)),
                        ('limit', models.BigIntegerField(null=True)),
                        ('used', models.BigIntegerField(default=0)),
                        ('borrowed', models.BigIntegerField(default=0)),
                        ('lent', models.BigIntegerField(default=0)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='quotas', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quotas', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('project__isnull', True)), fields=('tenant', 'resource'), name='quota_once_tenant'), models.UniqueConstraint(condition=models.Q(('project__isnull', False)), fields=('project', 'resource'), name='quota_once_project'), models.CheckConstraint(condition=models.Q(('borrowed__gte', 0), ('lent__gte', 0), ('used__gte', 0), models.Q(('limit__isnull', True), ('limit__gte', 0), _connector='OR')), name='quota_never_negative')],
                    },
                ),
                migrations.CreateModel(
                    name='QuotaClaim',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('holder', models.UUIDField()),
                        ('resource', models.CharField(choices=[('cpu', 'CPU'), ('memory', 'Memory'), ('storage', 'Storage'), ('instances', 'Instances'), ('routes', 'Routes'), ('images', 'Images in the registry'), ('projects', 'Projects')], max_length=10)),
                        ('amount', models.BigIntegerField()),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('holder', 'resource'), name='quota_claim_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='quota_claim_positive')],
                    },
                ),
                migrations.CreateModel(
                    name='QuotaLoan',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('resource', models.CharField(choices=[('cpu', 'CPU'), ('memory', 'Memory'), ('storage', 'Storage'), ('instances', 'Instances'), ('routes', 'Routes'), ('images', 'Images in the registry'), ('projects', 'Projects')], max_length=10)),
                        ('amount', models.BigIntegerField()),
                        ('until', models.DateTimeField()),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('lent_by', models.CharField(max_length=150)),
                        ('returned_at', models.DateTimeField(null=True)),
                        ('returned_by', models.CharField(blank=True, max_length=150)),
                        ('borrower', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='loans_taken', to='tenants.project')),
                        ('lender', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='loans_given', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quota_loans', to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['returned_at', 'until'], name='quota_loan_due')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='quota_loan_positive'), models.CheckConstraint(condition=models.Q(('lender', models.F('borrower')), _negated=True), name='quota_loan_to_another')],
                    },
                ),
                migrations.CreateModel(
                    name='Robot',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('role', models.CharField(max_length=60)),
                        ('made_by', models.CharField(blank=True, max_length=150)),
                        ('removed_at', models.DateTimeField(null=True)),
                        ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='robots', to='tenants.project')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='robot', to=settings.AUTH_USER_MODEL)),
                        ('keeper', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='robots_kept', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('project', 'name'), name='robot_name_in_project')],
                    },
                ),
                migrations.CreateModel(
                    name='CustomRole',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('level', models.CharField(choices=[('tenant', 'on the whole tenant'), ('project', 'on a project')], max_length=8)),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('permissions', models.JSONField(default=list)),
                        ('made_by', models.CharField(blank=True, max_length=150)),
                        ('removed_at', models.DateTimeField(null=True)),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='custom_roles', to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['updated_at'], name='custom_role_changed')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('tenant', 'name'), name='custom_role_name_in_tenant')],
                    },
                ),
                migrations.CreateModel(
                    name='CustomRoleState',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField()),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('permissions', models.JSONField(default=list)),
                        ('by', models.CharField(blank=True, max_length=150)),
                        ('role', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='states', to='tenants.customrole')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('role', 'version'), name='custom_role_state_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Review',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('name', models.CharField(max_length=100)),
                        ('roles', models.JSONField(default=list)),
                        ('started_by', models.CharField(max_length=150)),
                        ('ends_at', models.DateTimeField()),
                        ('reminded_at', models.DateTimeField(null=True)),
                        ('state', models.CharField(choices=[('running', 'running'), ('closed', 'closed'), ('cancelled', 'called off')], default='running', max_length=10)),
                        ('sealed_at', models.DateTimeField(null=True)),
                        ('sealed_by', models.CharField(blank=True, max_length=150)),
                        ('digest', models.CharField(blank=True, max_length=64)),
                        ('csv_digest', models.CharField(blank=True, max_length=64)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='tenants.project')),
                        ('starter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='tenants.tenant')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['state', 'ends_at'], name='review_due')],
                    },
                ),
                migrations.CreateModel(
                    name='Group',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('version', models.PositiveIntegerField(default=1, editable=False)),
                        ('name', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^(?:[a-z]([a-z0-9-]{0,38}[a-z0-9])?\\Z)', 'Use 1 to 40 small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.', code='bad_name')])),
                        ('title', models.CharField(blank=True, max_length=100)),
                        ('made_by', models.CharField(blank=True, max_length=150)),
                        ('removed_at', models.DateTimeField(null=True)),
                        ('removed_by', models.CharField(blank=True, max_length=150)),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='groups', to='tenants.tenant')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('tenant', 'name'), name='group_name_in_tenant')],
                    },
                ),
                migrations.CreateModel(
                    name='Grant',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('role', models.CharField(max_length=60)),
                        ('starts_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('ends_at', models.DateTimeField(null=True)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('granted_by', models.CharField(blank=True, max_length=150)),
                        ('source', models.CharField(default='local', max_length=40)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('ended_by', models.CharField(blank=True, max_length=150)),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL)),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='tenants.project')),
                        ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='tenants.tenant')),
                        ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='tenants.request')),
                        ('custom', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='tenants.customrole')),
                        ('last_used_at', models.DateTimeField(null=True)),
                        ('group', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='tenants.group')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['user', 'ended_at'], name='grant_user')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('tenant__isnull', True)), fields=('user', 'role'), name='grant_once_platform'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('project__isnull', True), ('tenant__isnull', False)), fields=('user', 'role', 'tenant'), name='grant_once_tenant'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('project__isnull', False)), fields=('user', 'role', 'project'), name='grant_once_project'), models.CheckConstraint(condition=models.Q(models.Q(('group__isnull', True), ('user__isnull', False)), models.Q(('group__isnull', False), ('tenant__isnull', False), ('user__isnull', True), models.Q(('role', 'tenant.owner'), _negated=True)), _connector='OR'), name='grant_to_one'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('group__isnull', False), ('project__isnull', True)), fields=('group', 'role', 'tenant'), name='grant_once_group_tenant'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('group__isnull', False), ('project__isnull', False)), fields=('group', 'role', 'project'), name='grant_once_group_project')],
                    },
                ),
                migrations.CreateModel(
                    name='ReviewLine',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('number', models.PositiveIntegerField()),
                        ('person', models.CharField(max_length=150)),
                        ('role', models.CharField(max_length=60)),
                        ('place', models.CharField(max_length=100)),
                        ('since', models.DateTimeField()),
                        ('until', models.DateTimeField(null=True)),
                        ('granted_by', models.CharField(blank=True, max_length=150)),
                        ('reason', models.CharField(blank=True, max_length=500)),
                        ('origin', models.CharField(max_length=40)),
                        ('last_used_at', models.DateTimeField(null=True)),
                        ('seen_at', models.DateTimeField(null=True)),
                        ('state', models.CharField(choices=[('open', 'open'), ('kept', 'kept'), ('ended', 'ended'), ('silent', 'ended, nobody answered'), ('last_owner', 'stays: the last owner'), ('elsewhere', 'to be ended in the identity service'), ('over', 'was over already')], default='open', max_length=10)),
                        ('decided_by', models.CharField(blank=True, max_length=150)),
                        ('decided_at', models.DateTimeField(null=True)),
                        ('decision_reason', models.CharField(blank=True, max_length=500)),
                        ('sealed_at', models.DateTimeField(null=True)),
                        ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.grant')),
                        ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.project')),
                        ('review', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='tenants.review')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['state', 'tenant'], name='review_open')],
                        'constraints': [models.UniqueConstraint(fields=('review', 'grant'), name='review_grant_once'), models.UniqueConstraint(fields=('review', 'number'), name='review_line_number')],
                    },
                ),
                migrations.CreateModel(
                    name='Membership',
                    fields=[
                        ('id', models.UUIDField(default=core.rows.new_id, editable=False, primary_key=True, serialize=False)),
                        ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                        ('added_by', models.CharField(blank=True, max_length=150)),
                        ('ended_at', models.DateTimeField(null=True)),
                        ('ended_by', models.CharField(blank=True, max_length=150)),
                        ('group', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='tenants.group')),
                        ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['user', 'ended_at'], name='membership_user'), models.Index(fields=['ended_at'], name='membership_ended')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('group', 'user'), name='membership_once')],
                    },
                ),
            ],
        ),
        migrations.RunPython(first_mappings, migrations.RunPython.noop),
        refuse("tenants_review", "update", "delete", when=SEALED),
        refuse("tenants_reviewline", "update", "delete", when=SEALED),
    ]
