"""A bucket of a real S3 server, checked with right and wrong names and keys."""

import time

import pytest

from slipway.errors import StoreUnusable, UsageError
from slipway.processes import free_port
from slipway.tracking.bucket import Bucket, check_bucket, parse_bucket


@pytest.fixture
def bucket(s3, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, and the usual variables that lead to it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # nobody else is asked for keys
    return s3()


def test_a_bucket_and_a_prefix_are_read() -> None:
    assert parse_bucket("s3://models") == Bucket("models")
    assert parse_bucket("s3://models/team/a/", "http://e") == Bucket("models", "team/a", "http://e")
    assert parse_bucket("s3://models/team").uri == "s3://models/team"
    assert parse_bucket("s3://models/", "http://e").environment == {"MLFLOW_S3_ENDPOINT_URL": "http://e"}


@pytest.mark.parametrize(
    "given", ["gs://models", "/srv/models", "s3://", "s3://key:secret@models", "s3://No_Good", "s3://a?b"]
)
def test_anything_but_a_bucket_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="--artifacts takes a bucket on S3, s3://BUCKET/PREFIX") as refused:
        parse_bucket(given)
    assert "secret" not in str(refused.value)


def test_one_that_can_be_written_is_left_as_it_was(s3, bucket: str) -> None:
    check_bucket(parse_bucket(f"s3://{bucket}/some/where"))
    assert s3.client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_endpoint_that_mlflow_is_told_wins(s3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port('127.0.0.1', 0)}")
    check_bucket(parse_bucket(f"s3://{bucket}", s3.endpoint))


def test_one_that_cannot_be_used_is_told_within_seconds_and_what_to_do(
    s3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(uri: str, endpoint: str | None = None) -> str:
        started = time.monotonic()
        with pytest.raises(StoreUnusable) as told:
            check_bucket(parse_bucket(uri, endpoint))
        assert time.monotonic() - started < 25
        assert "team-secret" not in str(told.value) and "\n" not in str(told.value)
        return str(told.value)

    assert "(NoSuchBucket); make it, or name another with --artifacts" in refused("s3://nowhere")
    nobody = f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
    assert "Could not connect to the endpoint URL" in refused(f"s3://{bucket}", nobody)
    assert "Invalid endpoint: nonsense; see that the endpoint" in refused(f"s3://{bucket}", "nonsense")
    s3.let_in(False)
    try:
        assert "(InvalidAccessKeyId); give other credentials" in refused(f"s3://{bucket}")
    finally:
        s3.let_in(True)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "The config profile (nobody) could not be found" in refused(f"s3://{bucket}")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "AWS_SECRET_ACCESS_KEY or AWS_PROFILE" in refused(f"s3://{bucket}")


def test_permission_to_read_alone_is_not_enough(s3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = s3.user("reader", "s3:GetObject", "s3:ListBucket")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys[1])
    s3.let_in(False)
    try:
        with pytest.raises(
            StoreUnusable, match=r"\(AccessDenied\); let these credentials put, get and list objects there"
        ):
            check_bucket(parse_bucket(f"s3://{bucket}"))
    finally:
        s3.let_in(True)
