"""The file system of S3, with the credentials, region and endpoint that boto3 finds."""

from typing import Any
from urllib.parse import urlsplit

_PATIENCE = {"connect_timeout": 10, "request_timeout": 60}


def s3_files(endpoint: str | None) -> Any:
    """Return pyarrow's file system of S3. endpoint: the value of MLFLOW_S3_ENDPOINT_URL; None = boto3's own choice."""
    import boto3
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    session = boto3.session.Session()
    client = session.client("s3", endpoint_url=endpoint)
    found = session.get_credentials()
    keys = found.get_frozen_credentials() if found else None
    named = {"access_key": keys.access_key, "secret_key": keys.secret_key, "session_token": keys.token} if keys else {}
    place = urlsplit(client.meta.endpoint_url)
    own = {} if place.netloc.endswith(".amazonaws.com") else {"endpoint_override": place.netloc, "scheme": place.scheme}
    region = client.meta.region_name
    return S3FileSystem(
        **{key: value for key, value in named.items() if value},
        **own,
        **({"region": region} if region and region != "aws-global" else {}),
        **_PATIENCE,
        anonymous=keys is None,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
    )
