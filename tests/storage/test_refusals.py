"""Object storage that refuses, or is none: the service's own reason, on reading as on writing."""

import json
from unittest import mock

import boto3
import google.auth
import pytest
import s3fs
from google.auth.exceptions import DefaultCredentialsError

from components import storage
from components.errors import InputError
from tests.fakes.http_server import answering
from tests.fakes.object_storage import BUCKET

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
SKEW = "The difference between the request time and the current time is too large."
USES = {
    "list": lambda store, _: store.sizes(),
    "read": lambda store, _: store.read("champion.json"),
    "write": lambda store, _: store.write("champion.json", b"{}"),
    "replace": lambda store, _: store.replace("champion.json", b"{}", 0),
    "fetch": lambda store, folder: storage.fetch(f"{store.uri}/rows.csv", folder),
}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """No settings of AWS but those of a test."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    yield lambda **settings: [monkeypatch.setenv(*each) for each in settings.items()]
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "InvalidAccessKeyId", "The AWS Access Key Id does not exist."),
        (403, "SignatureDoesNotMatch", "Check your secret access key."),
        (403, "RequestTimeTooSkewed", SKEW),
        (400, "ExpiredToken", "The provided token has expired."),
        (400, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'b'"),
        (400, "InvalidToken", "The provided token is malformed."),
        (404, "NoSuchBucket", "The specified bucket does not exist"),
    ],
)
def test_what_s3_refuses_has_its_reason(environment, status, code, reason, use, tmp_path):
    body = f"<Error><Code>{code}</Code><Message>{reason}</Message></Error>"
    with answering(status, body) as url:
        environment(AWS_ENDPOINT_URL=url, **KEYS)
        with pytest.raises(InputError) as refused:
            USES[use](storage.open_store("s3://bucket/folder"), tmp_path)
    assert refused.value.rule.startswith("cannot be used: ")
    assert reason.rstrip(".") in refused.value.rule
    assert "credentials" in refused.value.fix


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("page", ["<html>Log in</html>", ""])
def test_a_page_is_not_s3(environment, page, use, tmp_path):
    with answering(200, page, "text/html") as url:
        environment(AWS_ENDPOINT_URL=url, **KEYS)
        with pytest.raises(InputError):
            USES[use](storage.open_store("s3://bucket/folder"), tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {**KEYS, "AWS_ENDPOINT_URL": "minio-service.kubeflow:9000"},
            "Invalid endpoint: minio-ser",
        ),
        ({**KEYS, "AWS_ENDPOINT_URL": "minio"}, "Invalid endpoint: minio"),
        (
            {**KEYS, "AWS_ENDPOINT_URL": "http://minio:99999"},
            "`http://minio:99999` was not",
        ),
        ({**KEYS, "AWS_ENDPOINT_URL": "ftp://minio"}, "`ftp://minio` was not a valid URI"),
        ({"AWS_PROFILE": "none"}, "config profile (none) could not be found"),
        ({"AWS_ACCESS_KEY_ID": "a"}, "missing: AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_wrong_setting_is_not_taken_for_the_network(environment, settings, said, tmp_path):
    environment(**settings)
    with pytest.raises(InputError) as refused:
        storage.fetch("s3://bucket/folder", tmp_path)
    assert said in refused.value.rule
    assert "the account's credentials" in refused.value.fix


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "s3 = foo",
            r"of another form .*\. Check AWS_ENDPOINT_URL and the file of AWS_CONFIG_FILE",
        ),
        ("s3 =\n    addressing_style = foo", "cannot be used: S3 addressing style foo is invalid"),
    ],
)
def test_a_wrong_configuration_is_named(environment, tmp_path, content, said):
    (tmp_path / "config").write_text(f"[default]\n{content}\n")
    environment(AWS_ENDPOINT_URL="http://127.0.0.1:9", **KEYS)
    with pytest.raises(InputError, match=said):
        storage.open_store("s3://bucket/folder").read("champion.json")


@pytest.mark.parametrize("body", ["[]", '"x"', '[{"kind": "x"}]', "3"])
@pytest.mark.parametrize("use", ["list", "read", "fetch"])
def test_what_answers_in_another_form_is_not_google(monkeypatch, body, use, tmp_path):
    with answering(200, body, "application/json") as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        with pytest.raises(InputError, match="Check STORAGE_EMULATOR_HOST and the file of GOOGLE"):
            USES[use](storage.open_store("gs://bucket/folder"), tmp_path)


@pytest.mark.parametrize("content", ["[]", '"x"', "{}", '{"type": "service_account"}'])
def test_a_key_file_of_another_form_is_refused(monkeypatch, content, tmp_path):
    (tmp_path / "key.json").write_text(content)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(InputError, match="cannot be used: "):
        storage.open_store("gs://bucket/folder")


def test_an_account_without_a_project_is_none_of_the_network(monkeypatch, tmp_path):
    for name in ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    account = {"type": "authorized_user", "client_id": "a", "client_secret": "b"}
    (tmp_path / "key.json").write_text(json.dumps(account | {"refresh_token": "c"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    assert storage.open_store("gs://bucket/folder").uri == "gs://bucket/folder"


def test_without_keys_a_refusal_says_so(environment, tmp_path):
    body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    with answering(403, body) as url:
        environment(AWS_ENDPOINT_URL=url)
        with pytest.raises(InputError, match=r"Access Denied\. There are no credentials here"):
            storage.fetch("s3://bucket/folder", tmp_path)


def test_a_public_bucket_is_read_without_keys(s3_bucket, tmp_path, monkeypatch):
    storage.open_store(f"{s3_bucket}/public").write("rows.csv", b"text,label\n")
    acl = {"Bucket": BUCKET, "Key": "public/rows.csv", "ACL": "public-read"}
    boto3.client("s3").put_object_acl(**acl)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in KEYS:
        monkeypatch.delenv(name)
    path = storage.fetch(f"{s3_bucket}/public/rows.csv", tmp_path)
    assert path.read_bytes() == b"text,label\n"


def test_google_without_credentials_reads_public_buckets(gs_bucket, tmp_path):
    storage.open_store(f"{gs_bucket}/public").write("rows.csv", b"text,label\n")
    anonymous = storage.google.Client
    with mock.patch("components.storage.google.Client") as client:
        client.side_effect = DefaultCredentialsError("Your default credentials were not found.")
        client.create_anonymous_client = anonymous.create_anonymous_client
        path = storage.fetch(f"{gs_bucket}/public/rows.csv", tmp_path)
    assert path.read_bytes() == b"text,label\n"


def test_a_missing_key_file_is_not_taken_for_none(monkeypatch, tmp_path):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(InputError, match=r"key\.json was not found"):
        storage.open_store("gs://bucket/folder").sizes()


def test_where_google_finds_no_credentials_it_says_so_in_these_words(monkeypatch, tmp_path):
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(DefaultCredentialsError, match=r"^Your default credentials were not found"):
        google.auth.default()


@pytest.mark.parametrize("use", USES)
def test_a_missing_bucket_is_no_empty_registry(use, gs_bucket, s3_bucket, tmp_path):
    for uri in (gs_bucket, s3_bucket):
        store = storage.open_store(f"{uri}-that-is-missing/folder")
        with pytest.raises(InputError, match=r"cannot be used: .*\.$") as refused:
            USES[use](store, tmp_path)
        assert "\n" not in str(refused.value)


def test_a_name_that_s3s_client_takes_for_a_version_is_refused(s3_bucket):
    store = storage.open_store(f"{s3_bucket}/folder")
    said = r"^s3://[^:]*/a\?versionId=1\.csv: holds \?versionId=, .* Rename it\.$"
    with pytest.raises(InputError, match=said):
        store.write("a?versionId=1.csv", b"x")
    assert store.sizes() == {}
