"""An S3 service of the test's own that honours conditional writes (moto's server, in its process, over HTTP)."""

import contextlib
import secrets
from collections.abc import Iterator

import boto3


@contextlib.contextmanager
def conditional_s3() -> Iterator[dict[str, str]]:
    """Start it on a free port; the environment of an ordinary client, and a bucket ``state``."""
    from moto.server import ThreadedMotoServer

    service = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    service.start()
    host, port = service.get_host_and_port()
    environment = {
        "HALLMARK_S3_ENDPOINT": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": secrets.token_hex(8),
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        boto3.session.Session().client(
            "s3",
            endpoint_url=environment["HALLMARK_S3_ENDPOINT"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        ).create_bucket(Bucket="state")
        yield environment
    finally:
        service.stop()
