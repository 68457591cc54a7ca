# Markethall in a container. Build: docker build -t markethall .  Run: see compose.yaml.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/markethall
WORKDIR /src
COPY requirements/base.lock requirements/base.lock
RUN /opt/markethall/bin/pip install --require-hashes --no-deps -r requirements/base.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/markethall/bin/pip install --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/markethall markethall
COPY --from=build /opt/markethall /opt/markethall
ENV PATH=/opt/markethall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/var/lib/markethall/data \
    LOG_FORMAT=json
USER markethall
WORKDIR /var/lib/markethall
RUN mkdir data
VOLUME /var/lib/markethall/data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["markethall"]
CMD ["serve", "--host", "0.0.0.0"]
