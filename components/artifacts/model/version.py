"""The version of a model, as its predictor answers it and as a deploy expects it."""


def model_version(run_id: str, manifest_sha256: str) -> str:
    """Build the version of a model: `RUN:SHA256`, or only the hash without a run.

    Args:
        run_id: The pipeline run that created the model; may be empty.
        manifest_sha256: Hash of the model's manifest.
    """
    return f"{run_id}:{manifest_sha256}" if run_id else manifest_sha256
