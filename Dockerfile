# syntax=docker/dockerfile:1

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/guildhall
WORKDIR /src
# The requirements change seldom and the code often: they are a layer of their own.
COPY requirements/runtime.txt requirements/runtime.txt
RUN /opt/guildhall/bin/pip install --require-hashes --only-binary :all: --requirement requirements/runtime.txt
COPY . .
RUN /opt/guildhall/bin/pip install --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin guildhall \
    && install --directory --owner guildhall --group guildhall --mode 0700 /data
COPY --from=build /opt/guildhall /opt/guildhall
ENV PATH=/opt/guildhall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
# The process reads SIGTERM itself: it finishes what it has begun, then closes the gateway.
STOPSIGNAL SIGTERM
CMD ["guildhall", "run"]
