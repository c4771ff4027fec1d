"""Several runs publish at the same place at the same moment."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from components.artifacts.model import bundle
from components.artifacts.publishing import fetch, publish
from components.errors import InputError

PUBLISHERS = 4


def model(folder, seed):
    (folder / "onnx").mkdir(parents=True)
    (folder / bundle.ONNX["int8"]).write_bytes(bytes([seed]) * 300_000 + os.urandom(8))
    for part in range(6):
        (folder / f"part-{part}").write_bytes(bytes([seed]) * 1000)
    bundle.seal(folder, {"seed": seed})
    return folder


def race(models, uri):
    """The outcome for each publisher: "published" or its error."""
    together = Barrier(len(models))

    def attempt(folder):
        together.wait()
        try:
            publish(folder, uri)
        except InputError as error:
            return str(error)
        return "published"

    with ThreadPoolExecutor(len(models)) as pool:
        return list(pool.map(attempt, models))


def test_of_different_models_one_is_published_whole_and_the_others_get_an_error(
    folder_uri, tmp_path
):
    models = [model(tmp_path / str(seed), seed) for seed in range(PUBLISHERS)]
    uri = f"{folder_uri}/run-1"

    outcomes = race(models, uri)

    assert outcomes.count("published") == 1
    assert sum(" another model. Publish under another name" in each for each in outcomes) == 3
    winner = models[outcomes.index("published")]
    fetched = fetch(uri, tmp_path / "downloads")
    assert fetched.sha256 == bundle.verify(winner).sha256


def test_the_same_model_is_published_by_all(folder_uri, tmp_path):
    folder = model(tmp_path / "model", 1)
    uri = f"{folder_uri}/run-1"

    assert race([folder] * PUBLISHERS, uri) == ["published"] * PUBLISHERS
    fetched = fetch(uri, tmp_path / "downloads")
    assert fetched.sha256 == bundle.verify(folder).sha256
