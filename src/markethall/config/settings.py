"""Django settings, derived from the environment. Operators set ``environment.py``'s variables."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from markethall.config import environment as _environment
from markethall.config import sentry
from markethall.config.database import database_settings
from markethall.config.log import logging_settings
from markethall.config.storage import file_stores

ENVIRONMENT = _environment.load()

SANDBOX = ENVIRONMENT.sandbox
DATA_DIR = ENVIRONMENT.data_dir
DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
SITE_URL = ENVIRONMENT.site_url
_HOSTS = ENVIRONMENT.allowed_hosts or (["*"] if SANDBOX else [urlsplit(SITE_URL).hostname or ""])
ALLOWED_HOSTS = [*_HOSTS, *ENVIRONMENT.storefront_hosts]
CSRF_TRUSTED_ORIGINS = [SITE_URL, *ENVIRONMENT.cors_origins]
ADMIN_EMAILS = [email.lower() for email in ENVIRONMENT.admin_emails]

PACKAGE = Path(__file__).resolve().parent.parent

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "corsheaders",
    "procrastinate.contrib.django",
    "markethall.kernel",
    "markethall.foundation.audit",
    "markethall.foundation.platform",
    "markethall.foundation.accounts",
    "markethall.foundation.ledger",
    "markethall.foundation.payments",
    "markethall.foundation.reconciliation",
    "markethall.foundation.files",
    "markethall.foundation.messaging",
    "markethall.trade.catalog",
    "markethall.trade.inventory",
    "markethall.trade.taxes",
    "markethall.trade.shipping",
    "markethall.trade.vouchers",
    "markethall.trade.cart",
    "markethall.trade.orders",
    "markethall.trade.wishlist",
    "markethall.trade.leads",
    "markethall.content.imaging",
    "markethall.insight.analytics",
    "markethall.flows",
    "markethall.interfaces.web",
]

_LOGS_REQUESTS = not SANDBOX if ENVIRONMENT.log_requests is None else ENVIRONMENT.log_requests
_REQUEST_LOG = ["markethall.interfaces.web.middleware.RequestLog"] if _LOGS_REQUESTS else []
MIDDLEWARE = [
    "markethall.interfaces.web.middleware.RequestContext",
    *_REQUEST_LOG,
    "markethall.interfaces.web.metrics.RequestMetrics",
    "markethall.interfaces.web.middleware.KnownHost",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "markethall.interfaces.web.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "markethall.interfaces.web.middleware.Private",
    "markethall.interfaces.web.currencies.ChosenCurrency",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "markethall.interfaces.web.visitors.Visitors",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "markethall.interfaces.web.middleware.MessageToasts",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "markethall.interfaces.web.middleware.Problems",
]

# Of requests that show a bearer token or a signature: see interfaces/server/chains.py.
PROGRAM_MIDDLEWARE = [
    "markethall.interfaces.web.middleware.RequestContext",
    *_REQUEST_LOG,
    "markethall.interfaces.web.metrics.RequestMetrics",
    "markethall.interfaces.web.middleware.KnownHost",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "markethall.interfaces.web.visitors.Visitors",
    "markethall.interfaces.web.middleware.Problems",
]

ROOT_URLCONF = "markethall.config.urls"
WSGI_APPLICATION = "markethall.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours first: allauth brings pages of the same names.
        "DIRS": [PACKAGE / "interfaces" / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "markethall.interfaces.web.context.hall",
            ],
        },
    }
]

DATABASES = {"default": database_settings(ENVIRONMENT)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
PASSWORD_LENGTH_VALIDATOR = {
    "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
    "OPTIONS": {"min_length": 8},
}
STRICT_PASSWORD_VALIDATORS = [
    PASSWORD_LENGTH_VALIDATOR,
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
_STRICT = not SANDBOX if ENVIRONMENT.strict_passwords is None else ENVIRONMENT.strict_passwords
AUTH_PASSWORD_VALIDATORS = STRICT_PASSWORD_VALIDATORS if _STRICT else [PASSWORD_LENGTH_VALIDATOR]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"

SESSION_ENGINE = "markethall.foundation.accounts.aging"
SESSION_COOKIE_AGE = int(timedelta(days=7).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "markethall.interfaces.web.errors.csrf_failure"

# Front ends of other origins use bearer tokens: no cookie of ours goes to them.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOWED_ORIGINS = ENVIRONMENT.cors_origins
CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1)(:\d+)?$"] if SANDBOX else []
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "idempotency-key",
    "x-currency",
    "x-storefront",
    "x-visitor",
]
CORS_EXPOSE_HEADERS = ["idempotent-replayed", "retry-after", "x-request-id", "x-visitor"]

ACCOUNT_ADAPTER = "markethall.foundation.accounts.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "markethall.foundation.accounts.adapter.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
# Counted in kernel/throttle.py instead: across processes, atomically, with Retry-After.
ACCOUNT_RATE_LIMITS = False
# Tests and newcomers sign up many people from one address.
AUTH_LIMIT_FACTOR = ENVIRONMENT.auth_limit_factor or (10 if SANDBOX else 1)
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ADAPTER = "markethall.foundation.accounts.adapter.MfaAdapter"
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Markethall"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = _environment.oauth_providers(ENVIRONMENT)

_MAIL_VENDORS = "markethall.foundation.messaging.vendors"
EMAIL_BACKEND = {
    "outbox": "django.core.mail.backends.dummy.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
    "smtp": "django.core.mail.backends.smtp.EmailBackend",
    "resend": f"{_MAIL_VENDORS}.resend_backend.EmailBackend",
    "sendgrid": "anymail.backends.sendgrid.EmailBackend",
    "postmark": "anymail.backends.postmark.EmailBackend",
}[ENVIRONMENT.mail_backend]
EMAIL_HOST = ENVIRONMENT.smtp_host or "localhost"
EMAIL_PORT = ENVIRONMENT.smtp_port
EMAIL_HOST_USER = ENVIRONMENT.smtp_user or ""
EMAIL_HOST_PASSWORD = ENVIRONMENT.smtp_password or ""
EMAIL_USE_SSL = ENVIRONMENT.smtp_ssl
EMAIL_USE_TLS = ENVIRONMENT.smtp_tls and not ENVIRONMENT.smtp_ssl
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
ANYMAIL = {
    "REQUESTS_TIMEOUT": 20,
    "RESEND_API_KEY": ENVIRONMENT.resend_api_key,
    "RESEND_API_URL": ENVIRONMENT.resend_api_url,
    "SENDGRID_API_KEY": ENVIRONMENT.sendgrid_api_key,
    "SENDGRID_API_URL": ENVIRONMENT.sendgrid_api_url,
    "POSTMARK_SERVER_TOKEN": ENVIRONMENT.postmark_server_token,
    "POSTMARK_API_URL": ENVIRONMENT.postmark_api_url,
    "POSTMARK_MESSAGE_STREAM": ENVIRONMENT.postmark_message_stream,
}

# By name, as the rows of files have it; new files go to FILE_STORE.
FILE_STORE = ENVIRONMENT.storage
STORAGES = {
    **file_stores(ENVIRONMENT, str(DATA_DIR / "files")),
    "staticfiles": {"BACKEND": "markethall.interfaces.web.storage.Assets"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_MAX_AGE = 3600
# A request's body: an upload of 10 MB and its multipart frame. What files of a form may have
# together leaves a MB for the frame and the other fields.
MAX_REQUEST_BYTES = 12 * 1024 * 1024
MAX_FILES_BYTES = MAX_REQUEST_BYTES - 1024 * 1024
# Larger bodies go to temporary files, so that memory stays bounded.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
PROCRASTINATE_IMPORT_PATHS = ["markethall.interfaces.jobs.registry"]
PROCRASTINATE_ON_APP_READY = None

# The figures of all processes meet here; prometheus-client reads the variable when it is imported.
METRICS_DIR = DATA_DIR / "metrics"
METRICS_DIR.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(METRICS_DIR))

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if SANDBOX else int(timedelta(days=365).total_seconds())
SECURE_HSTS_INCLUDE_SUBDOMAINS = not SANDBOX
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.trusted_proxies else None
)
SECURE_SSL_REDIRECT = not SANDBOX and bool(ENVIRONMENT.trusted_proxies)
# Supervisors ask from within, past the proxy and by whatever name.
PROBES = ("/healthz", "/readyz", "/metrics")
SECURE_REDIRECT_EXEMPT = [f"^{path[1:]}$" for path in PROBES]
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False

LOGGING = logging_settings(ENVIRONMENT)
sentry.start(ENVIRONMENT)
