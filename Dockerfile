# The portal as an image. Nothing is fetched but Debian and Python packages; the browser's files are in static/.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/berth/.venv \
 && /opt/berth/.venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends gettext tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/berth --create-home --shell /usr/sbin/nologin berth
COPY --from=packages /opt/berth/.venv /opt/berth/.venv
COPY . /opt/berth
WORKDIR /opt/berth
ENV PATH=/opt/berth/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BERTH_STATE=/var/lib/berth
# collectstatic needs settings, settings need keys: these two are of this build only and stay in no layer.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(48))')" \
    FIELD_KEYS="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
    python manage.py collectstatic --no-input \
 && { [ ! -d locale ] || python manage.py compilemessages --verbosity 0; } \
 && chown -R berth:berth /var/lib/berth
USER berth
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost'}), timeout=2)"]
ENTRYPOINT ["tini", "--"]
CMD ["sh", "-c", "exec uvicorn portal.asgi:application --host 0.0.0.0 --port ${PORT:-8000} --workers ${WEB_CONCURRENCY:-1} --http portal.patience:Patient --ws websockets-sansio --ws-max-size 65536 --ws-per-message-deflate false --forwarded-allow-ips \"${TRUSTED_PROXIES:-none}\" --no-access-log --no-server-header --timeout-graceful-shutdown 10"]
