"""An S3 bucket, or a prefix in it, as an object store; AWS or any service that speaks the protocol.

Credentials and region come from where every AWS client finds them. A service that is down or denies is reported within
half a minute: five seconds to connect, three attempts.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from pathlib import Path
from typing import Any, ClassVar

from resources.digests import CHUNK
from resources.errors import StoreError
from resources.object_store import ObjectHead, ObjectInfo, ObjectStore, Span, changed, disk_error, lost

ENDPOINT = "HALLMARK_S3_ENDPOINT"
_GONE = {"NoSuchKey", "404", "NotFound"}
_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_DENIED = {"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}


class S3Store(ObjectStore):
    appears_whole: ClassVar[bool] = True

    def __init__(self, bucket: str, prefix: str, endpoint: str = "") -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")
        self.endpoint = endpoint or os.environ.get(ENDPOINT, "")
        self._connected: Any = None

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        where = {"Bucket": self.bucket, "Prefix": self.prefix + prefix}
        if after:
            where["StartAfter"] = self.prefix + after
        with self._explained(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(**where):
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):  # the marker that consoles write for an empty folder
                        yield self._info(entry["Key"].removeprefix(self.prefix), entry, entry["Size"])

    def head(self, key: str) -> ObjectHead | None:
        with self._explained(key):
            found = self._found(key)
        if found is None:
            return None
        info = self._info(key, found, found["ContentLength"])
        metadata = {name.lower(): _decoded(value) for name, value in found.get("Metadata", {}).items()}
        return ObjectHead(info, found.get("VersionId") or info.etag, metadata)

    def put(self, source: Path | bytes, key: str, metadata: Mapping[str, str] | None = None) -> ObjectInfo:
        named = {name: _encoded(value) for name, value in (metadata or {}).items()}
        with self._explained(key):
            if isinstance(source, bytes):
                self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=source, Metadata=named)
            else:
                self._client.upload_file(str(source), self.bucket, self.prefix + key, ExtraArgs={"Metadata": named})
        stored = self.head(key)
        if stored is None:
            raise changed(self.uri, key)
        return stored.info

    def put_if(self, data: bytes, key: str, *, etag: str | None) -> ObjectInfo:
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": f'"{etag}"'}
        with self._explained(key, otherwise=lost):
            done = self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, **condition)
        return ObjectInfo(key, done["ETag"].strip('"'), len(data), datetime.now(UTC))

    def _stream(self, info: ObjectInfo, span: Span | None = None) -> Iterator[bytes]:
        with self._explained(info.key):
            request = {"Bucket": self.bucket, "Key": self.prefix + info.key, "IfMatch": f'"{info.etag}"'}
            if span:
                request["Range"] = f"bytes={span.start}-{span.end - 1}"
            found = self._client.get_object(**request)
            if self._info(info.key, found, found["ContentLength"]).etag != info.etag:
                raise changed(self.uri, info.key)
            yield from found["Body"].iter_chunks(CHUNK)

    def _found(self, key: str) -> Any:
        from botocore.exceptions import ClientError

        try:
            return self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise

    @staticmethod
    def _info(key: str, found: Mapping[str, Any], size: int) -> ObjectInfo:
        return ObjectInfo(key, found["ETag"].strip('"'), size, found["LastModified"])

    @property
    def _client(self) -> Any:
        if self._connected is None:
            self._connected = connect(self.endpoint)
        return self._connected

    @contextlib.contextmanager
    def _explained(self, key: str, otherwise: Callable[[str, str], StoreError] = changed) -> Iterator[None]:
        """Turn what the client raises into a ``StoreError`` with what to do; ``otherwise`` for a condition not met."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            raise self._refused(error, key, otherwise) from error
        except (BotoCoreError, Boto3Error, HTTPError, ValueError) as error:
            raise StoreError(self._failure(error, key)) from error
        except OSError as error:
            raise disk_error(error, f"cannot exchange {key} with {self.uri}") from error

    def _refused(self, error: Any, key: str, otherwise: Callable[[str, str], StoreError]) -> StoreError:
        code = error.response.get("Error", {}).get("Code", "unknown")
        where = f"{self.uri}/{key}".rstrip("/")
        if code == "NoSuchBucket":
            return StoreError(f"bucket {self.bucket} does not exist{self._at()}; create it or name another store")
        if code in _CHANGED:
            return otherwise(self.uri, key)
        if code in _GONE:
            return StoreError(f"{where} is not there (any more); put it back or remove it from the drop's manifest")
        if code in _DENIED:
            return StoreError(
                f"{where} is denied{self._at()} ({code}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that "
                "they may s3:ListBucket and s3:GetObject there"
            )
        return StoreError(f"{where} failed{self._at()}: {code}")

    def _failure(self, error: Exception, key: str) -> str:
        from botocore.exceptions import ConnectionError as Unreachable
        from botocore.exceptions import HTTPClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

        if isinstance(error, NoCredentialsError | PartialCredentialsError):
            return f"no credentials for {self.uri}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        if isinstance(error, NoRegionError):
            return f"no region for {self.uri}; set AWS_DEFAULT_REGION"
        if isinstance(error, Unreachable | HTTPClientError):
            return (
                f"{self.uri} cannot be reached{self._at()} ({type(error).__name__}); check that the service runs and "
                f"that {ENDPOINT} is right, then run again"
            )
        return f"{self.uri}/{key} failed{self._at()}: {type(error).__name__}; run again"

    def _at(self) -> str:
        return f" at {self.endpoint}" if self.endpoint else ""


def connect(endpoint: str = "") -> Any:
    """A client of AWS, or of the service at ``endpoint`` (default ``HALLMARK_S3_ENDPOINT``).

    In a session of its own: the default session keeps the first credentials that it saw.
    """
    import boto3
    from botocore.config import Config

    endpoint = endpoint or os.environ.get(ENDPOINT, "")
    # Services other than AWS often do not know the newer checksums, and name buckets in the path.
    other: dict[str, Any] = {
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"total_max_attempts": 3, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
        **(other if endpoint else {}),
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint or None, config=config)


def _encoded(value: str) -> str:
    """Metadata travels in HTTP headers: ASCII, other text as RFC 2047 words, as S3 itself writes it."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, UnicodeError, LookupError):
        return value
