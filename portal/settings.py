"""All configuration of the portal. Nothing else reads the environment."""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from portal import environment, lean
from portal.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent
STATE = Path(env.str("BERTH_STATE", default=str(BASE_DIR / "var"))).resolve()
VERSION = "0.1.0"
DEBUG = env.bool("DEBUG", default=False)

# --- secrets -----------------------------------------------------------------------------------------------------
SECRET_KEY = environment.secret_key(STATE / "keys" / "secret_key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
FIELD_KEYS = environment.field_keys(STATE / "keys" / "field_keys")

# --- one process or many -----------------------------------------------------------------------------------------
REDIS_URL = environment.redis_url()
EMBEDDED = not REDIS_URL
WEB_CONCURRENCY = environment.processes(redis=REDIS_URL)
DATABASES = {"default": environment.database(f"sqlite:///{STATE / 'berth.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    lean.leave_out_postgresql()
    DATABASES["default"]["ENGINE"] = "core.sqlite3"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a deferred transaction that writes late fails as “locked”
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c statement_timeout=10000 -c lock_timeout=5000"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "guardian",
    "channels",
    "rest_framework",
    "axes",
    "knox",
    "tenants.factors.library.Accounts",
    "tenants.factors.library.Factors",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "audit",
    "operations",
    "backends",
    "tenants",
    "images",
    "apps",
    "observe",
    "console",
    "portal",
]
MIDDLEWARE = [
    "portal.middleware.request_id",
    "portal.metrics.measured",
    "portal.middleware.problems",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.actor",
    "tenants.middleware.language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.private_answers",
    "portal.middleware.wrong_methods",
]
ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "portal.frame.frame",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# --- people ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "tenants.identity.backends.LocalBackend",
    "tenants.identity.backends.LocalCodeBackend",
    "tenants.identity.backends.PasskeyBackend",
    "tenants.identity.backends.KeystoneBackend",
    "tenants.identity.backends.CodeBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = [
    "tenants.hashing.Argon2idHasher",  # the others: accounts of before, until they next sign in
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
MIGRATION_MODULES = {"knox": None}  # its own token table is never used: ours takes its place
KNOX_TOKEN_MODEL = "tenants.Token"  # noqa: S105  a model's name
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "berth_", "TOKEN_TTL": timedelta(days=90)}

# --- second factors of local people ---
MFA_ADAPTER = "tenants.factors.adapter.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # half minutes that a phone's clock may be wrong, each way
MFA_RECOVERY_CODE_DIGITS = 10

# --- identity service: Keystone v3; without a URL all people are local ---
KEYSTONE = environment.keystone(STATE / "keys" / "keystone.json")
KEYSTONE_TIMEOUT_SECONDS = env.float("KEYSTONE_TIMEOUT_SECONDS", default=5.0)
KEYSTONE_RECHECK_SECONDS = env.float("KEYSTONE_RECHECK_SECONDS", default=1.0)  # how long “not disabled” is believed
KEYSTONE_GRACE_SECONDS = env.int("KEYSTONE_GRACE_SECONDS", default=900)  # sessions go on so long while it is down

# --- floods of sign-ins: counted in the database, and refused before any password is looked at ---
AXES_FAILURE_LIMIT = 5  # wrong passwords of one name from one address
AXES_ADDRESS_LIMIT = env.int("SIGN_IN_ADDRESS_LIMIT", default=50)  # from one address, whatever the names
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "tenants.identity.floods.Handler"
AXES_USERNAME_CALLABLE = "tenants.identity.floods.name_of"
AXES_CLIENT_IP_CALLABLE = "tenants.identity.floods.address_of"
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "ip_address",
    "code",
    "passkey",
    "credential",
    "challenge",
    "old",
    "new",
    "again",
]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# --- registry: whom it asks is Berth; without a URL there is none ---
REGISTRY = environment.registry(STATE / "keys")

# --- archives of images that are uploaded: every web process and worker sees the same folder ---
UPLOADS = {
    "folder": env.str("UPLOADS_FOLDER", default="") or str(STATE / "uploads"),
    "tenant_bytes": env.int("UPLOADS_TENANT_GIB", default=20) * 2**30,  # that uploads of one tenant take at a time
    "spare_bytes": env.int("UPLOADS_SPARE_MIB", default=1024) * 2**20,  # that are left free on the disk
    "keep_hours": env.int("UPLOADS_KEEP_HOURS", default=24),  # for which an unfinished one waits
}

# --- images that are built from sources; what one build may take ---
BUILDS = {
    "at_once": env.int("BUILDS_AT_ONCE", default=1),  # of one project; others wait
    "cluster_at_once": env.int("BUILDS_OF_CLUSTER_AT_ONCE", default=2),
    "seconds": env.int("BUILDS_SECONDS", default=900),  # of the build itself; a worker ends any step after 20 minutes
    "memory_bytes": env.int("BUILDS_MEMORY_MIB", default=2048) * 2**20,
    "cpu_millicores": env.int("BUILDS_CPU_MILLICORES", default=2000),
    "disk_bytes": env.int("BUILDS_DISK_MIB", default=8192) * 2**20,  # that one step may write
    "unpacked_bytes": env.int("BUILDS_SOURCES_MIB", default=1024) * 2**20,  # of the sources, unpacked
    "files": 50_000,
    "fetch_seconds": 300,
    "log_bytes": env.int("BUILDS_LOG_KIB", default=2048) * 2**10,
    "registries": env.list("BUILDS_REGISTRIES", default=["docker.io"]),  # whose public images may be built upon
    "keep_days": 180,  # of a build that has ended, with its log
}

# --- where people may lead Berth to, beside the public internet ---
OUTBOUND = environment.outbound()

# --- addresses and answers ---------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = False  # the proxy in front redirects
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SESSION_ENGINE = "tenants.sessions"
SESSION_COOKIE_NAME = "berth_session"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "berth_csrf"
CSRF_FAILURE_VIEW = "portal.failures.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("TZ", default="UTC")

# --- static files ------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = STATE / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "webp", "gz", "br", "woff", "woff2"]

# --- API ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.authentication.BearerAuthentication",
        "tenants.identity.tokens.KeystoneAuthentication",
        "tenants.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.problems.for_api",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Berth",
    "DESCRIPTION": "Deploy, watch and hand over many systems of many teams on shared machines.",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "ImageCopyState": "images.models.ImageCopy.State",
        "PromotionState": "images.models.Promotion.State",
        "WebhookState": "images.models.Webhook.State",
        "DeliveryState": "images.models.WebhookDelivery.State",
    },
}

# --- numbers -----------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # who reads /metrics shows it; empty: /metrics is not there
LOGS_KEPT_MIB_PER_TENANT = env.int("LOGS_KEPT_MIB_PER_TENANT", default=64)  # packed; of clusters that forget logs
METRICS_SERIES_PER_TENANT = env.int("METRICS_SERIES_PER_TENANT", default=1000)  # instances whose usage is kept

# --- clusters ----------------------------------------------------------------------------------------------------
REPAIR_CHANGED = env.bool("REPAIR_CHANGED", default=True)  # what was changed on an engine past Berth is put right

# --- scans -------------------------------------------------------------------------------------------------------
SCANS_AT_ONCE = env.int("SCANS_AT_ONCE", default=1)  # images that all workers together look through at a time

# --- consoles ----------------------------------------------------------------------------------------------------
CONSOLE_IDLE_SECONDS = env.int("CONSOLE_IDLE_SECONDS", default=600)
CONSOLE_LIMIT_SECONDS = env.int("CONSOLE_LIMIT_SECONDS", default=8 * 3600)

# --- tasks and sockets -------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "global_keyprefix": "berth:",
        "max_retries": 0,  # nobody who deploys waits for a broker that is away: the sweep wakes a worker later
        "interval_start": 0,
    }
    if REDIS_URL
    else {"polling_interval": 0.01}
)
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY = False  # the row is saved; the sweep sends what was not sent
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONSUMER = "portal.worker:Consumer"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "portal.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {  # every so many seconds; what piled up meanwhile is done once, see portal/beat.py
    "sweep": {"task": "operations.sweep", "schedule": 5.0},
    "reconcile": {"task": "apps.reconcile", "schedule": 60.0},
    "tell of silence": {"task": "apps.tell_of_silence", "schedule": 15.0},
    "tell of failing": {"task": "apps.tell_of_failing", "schedule": 15.0},
    "follow keystone": {"task": "tenants.follow_keystone", "schedule": 60.0},
    "heed disabled": {"task": "tenants.heed_disabled", "schedule": 15.0},
    "look after people": {"task": "tenants.look_after", "schedule": 600.0},
    "tell of ends": {"task": "tenants.tell_of_ends", "schedule": 60.0},
    "look after reviews": {"task": "tenants.look_after_reviews", "schedule": 60.0},
    "look after loans": {"task": "tenants.look_after_loans", "schedule": 60.0},
    "recount quota": {"task": "tenants.recount_quota", "schedule": 3600.0},
    "forget usage": {"task": "observe.forget", "schedule": 600.0},
    "forget changes": {"task": "operations.forget_changes", "schedule": 300.0},
    "replicate": {"task": "images.replicate", "schedule": 30.0},
    "forget builds": {"task": "images.forget_builds", "schedule": 3600.0},
    "forget uploads": {"task": "images.forget_uploads", "schedule": 600.0},
    "look at registry": {"task": "images.look_at_registry", "schedule": 60.0},
    "keep house": {"task": "images.keep_house", "schedule": 1800.0},
    "recount stored": {"task": "images.recount_stored", "schedule": 3600.0},
    "lay out approved images": {"task": "images.lay_out", "schedule": 60.0},
    "look after scans": {"task": "images.look_after_scans", "schedule": 300.0},
    "deliver webhooks": {"task": "images.deliver_webhooks", "schedule": 10.0},
    "forget deliveries": {"task": "images.forget_deliveries", "schedule": 3600.0},
    "sweep consoles": {"task": "console.sweep", "schedule": 60.0},
    "forget events": {"task": "apps.forget_events", "schedule": 3600.0},
    "purge projects": {"task": "apps.purge_projects", "schedule": 3600.0},
    "forget answers": {"task": "operations.forget_answers", "schedule": 3600.0},
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "axes": {"level": "ERROR"},  # it would write down what was typed as a name
        "celery": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "docker": {"level": "WARNING"},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = [
    "axes.W002",  # the door asks before it looks at a password (tenants/identity/floods.py)
    "axes.W003",
    "security.W004",
    "security.W008",
    "security.W012",
    "security.W016",
]  # TLS is the proxy's: HTTPS=1
