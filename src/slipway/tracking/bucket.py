"""The S3 bucket under a tracking server: its address, and the check that artifacts can be kept there."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from slipway.errors import StoreUnusable, UsageError

FORM = "s3://BUCKET/PREFIX"
_NAME = re.compile(
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_MARK = "slipway.check"  # written and read back; one name, so that a bucket where nothing may be deleted keeps one
_ADVICE = {
    "NoSuchBucket": "make it, or name another with --artifacts",
    "AccessDenied": "let these credentials put, get and list objects there",
    "InvalidAccessKeyId": "give other credentials (AWS_ACCESS_KEY_ID or AWS_PROFILE)",
    "SignatureDoesNotMatch": "see that AWS_SECRET_ACCESS_KEY belongs to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "get a new AWS_SESSION_TOKEN",
}
_OTHERWISE = (
    "see that the endpoint (AWS_ENDPOINT_URL), the region (AWS_DEFAULT_REGION) and the credentials (AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY or AWS_PROFILE) are right"
)


@dataclass(frozen=True)
class Bucket:
    """A place in a bucket for artifacts. endpoint: the value of MLFLOW_S3_ENDPOINT_URL; None = boto3's own choice."""

    name: str
    prefix: str = ""
    endpoint: str | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.name}/{self.prefix}".rstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the server's environment beside the AWS variables that are set already."""
        return {"MLFLOW_S3_ENDPOINT_URL": self.endpoint} if self.endpoint else {}


def parse_bucket(given: str, endpoint: str | None = None) -> Bucket:
    """Read the value of --artifacts. Raises UsageError for anything but a bucket on S3."""
    parts = urlsplit(given)
    if parts.scheme != "s3" or not _NAME.fullmatch(parts.netloc) or parts.query or parts.fragment:
        shown = "keys" if "@" in given else f"'{given}'"
        raise UsageError(
            f"--artifacts takes a bucket on S3, {FORM}, its credentials in the AWS variables; found {shown}. "
            "Without --artifacts they are kept in a folder of the home"
        )
    return Bucket(parts.netloc, unquote(parts.path).strip("/"), endpoint)


def check_bucket(bucket: Bucket) -> None:
    """Put an object, read it back and list it, with the credentials that boto3 finds.

    Raises StoreUnusable, which says what to do next, within seconds: MLflow's own client would try for minutes.
    """
    import boto3
    from botocore.client import Config
    from botocore.exceptions import BotoCoreError, ClientError

    key = f"{bucket.prefix}/{_MARK}".lstrip("/")
    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        s3: Any = boto3.session.Session().client("s3", endpoint_url=bucket.endpoint, config=patience)
        s3.put_object(Bucket=bucket.name, Key=key, Body=b"slipway")
        s3.get_object(Bucket=bucket.name, Key=key)["Body"].read()
        s3.list_objects_v2(Bucket=bucket.name, Prefix=key, MaxKeys=1)
    except ClientError as error:
        code, why = (str(error.response.get("Error", {}).get(part, "")) for part in ("Code", "Message"))
        reason = f"{why.rstrip('.')} ({code})" if why else code
        raise StoreUnusable(f"{bucket.uri} cannot be used: {reason}; {_ADVICE.get(code, _OTHERWISE)}") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: the endpoint is no URL
        raise StoreUnusable(f"{bucket.uri} cannot be used: {str(error).rstrip('.')}; {_OTHERWISE}") from error
    try:
        s3.delete_object(Bucket=bucket.name, Key=key)
    except (BotoCoreError, ClientError):  # MLflow deletes nothing either, unless somebody runs `mlflow gc`
        return
