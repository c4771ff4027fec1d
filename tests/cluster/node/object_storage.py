"""The cluster's object storage: names, keys, and its bucket."""

import s3fs

KEY, SECRET = "tests", "tests-of-the-pipeline"
"""As manifests/object-storage.yaml has them."""
BUCKET = "mlpipeline"
"""Kubeflow Pipelines' own."""
SERVICE = "seaweedfs.kubeflow:9000"
"""Its address in the cluster."""


def environment(address: str) -> dict[str, str]:
    """Make the environment of a client.

    Args:
        address: Host and port.
    """
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": f"http://{address}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def make_bucket(address: str) -> None:
    """Make the bucket."""
    files = s3fs.S3FileSystem(key=KEY, secret=SECRET, endpoint_url=f"http://{address}")
    files.mkdir(BUCKET)
