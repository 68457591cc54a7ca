"""A real S3 server on loopback, with keys, so that wrong signatures are refused: SeaweedFS."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from house.storing import use_storage
from markethall.foundation.files.storage.registry import store_named

KEY, SECRET = "hall-key", "hall-secret-0123456789"
_IDENTITIES = {
    "identities": [
        {
            "name": "hall",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}
_OFF = ("-webdav=false", "-admin.ui=false", "-master.telemetry=false", "-s3.iam=false")


@dataclass
class S3Server:
    url: str

    def variables(self, bucket: str) -> dict[str, str]:
        """The environment of a hall that uses a bucket of this server."""
        return {
            "S3_ENDPOINT_URL": self.url,
            "S3_BUCKET": bucket,
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY_ID": KEY,
            "S3_SECRET_ACCESS_KEY": SECRET,
        }


def _free_ports(count: int) -> list[int]:
    """Ports below 50000: the server also takes each one plus 10,000."""
    sockets, ports = [], []
    candidate = 20000 + uuid.uuid4().int % 20000
    while len(ports) < count:
        candidate += 1
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", candidate))
            sockets.append(probe)
            ports.append(candidate)
        except OSError:
            probe.close()
    for held in sockets:
        held.close()
    return ports


@pytest.fixture(autouse=True, scope="session")
def amazons_models_read_once() -> Iterator[None]:
    """Each hall of these tests makes its client as it starts; what Amazon describes its services
    with takes half a second to read."""
    from botocore import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", cache(session.create_loader))
        yield


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    folder = Path(tempfile.mkdtemp(prefix="weed-"))
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    master, volume, filer, s3, admin = _free_ports(5)
    weed = Path(sys.executable).with_name("weed")
    process = subprocess.Popen(
        [
            str(weed),
            "mini",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            f"-s3.port={s3}",
            f"-admin.port={admin}",
            f"-s3.config={folder / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *_OFF,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    server = S3Server(f"http://127.0.0.1:{s3}")
    try:
        _await_bucket(server)
        yield server
    finally:
        process.kill()  # it takes long to end by itself, and nothing of it is kept
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _await_bucket(server: S3Server) -> None:
    over = time.monotonic() + 40
    while True:
        try:
            _client(server).create_bucket(Bucket="first")
            return
        except Exception:
            if time.monotonic() > over:
                raise
            time.sleep(0.1)


def _client(server: S3Server) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def s3(s3_server: S3Server) -> Any:
    """The server by another client than ours."""
    return _client(s3_server)


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of the test's own."""
    name = f"hall-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_settings(s3_server: S3Server, bucket: str) -> dict[str, str]:
    return s3_server.variables(bucket)


@pytest.fixture
def on_s3(settings: Any, tmp_path: Path, s3_settings: dict[str, str]) -> Any:
    """New files go to the bucket."""
    use_storage(settings, tmp_path, "s3", **s3_settings)
    return store_named("s3")


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes every connection and answers none."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
