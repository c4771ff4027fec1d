"""Every command, given anything: it ends in a sentence, and never in a traceback."""

import contextlib
import importlib
import io
import logging
import os
import shlex
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import ClusterError, WorkError

ODD = [
    "",
    " ",
    "@rows.csv",
    "`x`",
    "%x",
    "*.yaml",
    "!x",
    "&x",
    "[a",
    "{x",
    "it's.csv",
    "rows #1.csv",
    "a: b",
    "- a",
    "null",
    "on",
    "010",
    "1e400",
    "nan",
    ".inf",
    "-1",
    "99999999999999999999999",
    "x" * 300,
    "é" * 200,
    "\udce9.csv",
    "gs:/bucket/x",
    "GS://bucket/x",
    "gs:///x",
    "gs://",
    "s3:x",
    "file://models/reg",
    "file:x",
    "package:",
    "package:..",
    "https://[x",
    "C:\\x",
    "{a: {b: 1}}",
    "[1,2]",
    '"\\u0000"',
    '"\\ud800"',
    "2026-11-26",
    "a?x=1",
    "../../pods",
    "MyNS",
]
TEXTS = st.sampled_from(ODD) | st.text(
    st.characters(exclude_characters="\0/~", codec="utf-8"), max_size=12
).filter(lambda text: text.strip(". ") or not text)
FILES = st.sampled_from([b"\xff\xfe", b"a: [", b"- a", b"a: 1\na: 2", b"? {a: 1}\n: 2", b"&x *x"])
CONTENTS = st.binary(max_size=20) | FILES | TEXTS.map(lambda text: text.encode(errors="replace"))

# The options of each command that take anything, what else it needs, and the work that is left out.
PARAMETERS = [
    "task",
    "seed",
    "generate_models",
    "generate_style",
    "generate_options.judge",
    "merge_dataset",
    "merge_dataset_revision",
    "merge_options.encoder",
    "merge_options",
    "train_base_model",
    "train_learning_rate",
    "train_ablation",
    "train_options.target_modules",
    "evaluate_gate",
    "evaluate_options.out_of_domain",
    "deploy_registry",
    "deploy_options.namespace",
    "deploy_options.max_latency_ms",
]
COMMANDS = {
    "pipelines.parameters": ("", ["--params"], PARAMETERS, ""),
    "pipelines.compile": (
        "out.yaml",
        ["--params", "--settings", "--lock"],
        PARAMETERS,
        "pipelines.compile.compiler.compile_pipeline",
    ),
    "pipelines.local": ("", ["--params"], PARAMETERS, "pipelines.local.run.run_locally"),
    "pipelines.local.watch": (
        "",
        ["--params", "--payloads", "--model", "--reference"],
        ["watch_payloads", "deploy_registry", "watch_options", "watch_options.max_distance"],
        "pipelines.local.watch.watch_locally",
    ),
    "pipelines.submit": (
        "--host http://127.0.0.1:9",
        ["--params", "--settings", "--lock", "--schedule", "--hours", "--namespace"],
        PARAMETERS,
        "pipelines.submit.connection.connect",
    ),
    "pipelines.lock": ("train --docker none", ["--registry", "--tag"], [], ""),
    "pipelines.manifests": (
        "--registry r.example",
        ["--registry", "--tag"],
        [],
        "pipelines.manifests.build_image",
    ),
    "components.preflight": (
        "",
        ["--parameters"],
        PARAMETERS,
        "components.preflight.run.preflight",
    ),
    "components.generate": (
        "--output out",
        ["--settings", "--merge-settings"],
        ["task", "model", "style", "judge", "samples_per_label", "few_shot"],
        "components.generate.run.generate",
    ),
    "components.merge": (
        "--output out",
        ["--settings"],
        ["task", "dataset", "dataset_revision", "label_map", "test_fraction", "top_up"],
        "components.merge.run.merge",
    ),
    "components.train": (
        "--dataset none --output out",
        ["--settings"],
        ["base_model", "learning_rate", "target_modules", "checkpoint_uri", "seed"],
        "",
    ),
    "components.train.search": (
        "--dataset none",
        ["--settings", "--space", "--trials"],
        ["base_model", "learning_rate"],
        "",
    ),
    "components.train.cluster": (
        "train-job --image image --dataset gs://b/d --output gs://b/m",
        ["--settings", "--name", "--nodes", "--cpu", "--memory", "--endpoint", "--dataset"],
        ["base_model", "learning_rate"],
        "",
    ),
    "components.evaluate": (
        "--model none --dataset none --output out",
        ["--settings", "--model", "--dataset"],
        ["gate", "registry", "out_of_domain", "bootstrap_samples"],
        "",
    ),
    "components.watch": (
        "--output out",
        ["--settings", "--payloads", "--model", "--reference"],
        ["payloads", "registry", "model", "reference", "max_requests", "kfp_host", "trigger"],
        "",
    ),
    "components.predict": (
        "--output out",
        ["--settings", "--input", "--output", "--model"],
        ["input", "registry", "model", "shards", "part_rows", "text_column", "show_texts"],
        "",
    ),
    "components.deploy": (
        "status",
        ["--settings"],
        ["namespace", "registry", "service_name", "gateway", "max_latency_ms", "task"],
        "components.deploy.cluster.connection.connect",
    ),
    "components.serve": (
        "--model-dir none",
        ["--model-name", "--http-port", "--host", "--payload-url", "--payload-folder"],
        [],
        "",
    ),
}


def ended(module, arguments, work):
    """Run a command here without its work; gives what it ends with."""
    place = importlib.import_module(_main_of(module))
    refusal = ClusterError if work.endswith(".connect") else WorkError
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        if work:
            effect = refusal("work", "is left out", "Go on")
            stack.enter_context(mock.patch(work, side_effect=effect))
        try:
            place.main(arguments)
        except SystemExit as end:
            return end.code
    return 0


def _main_of(module):
    alone = {
        "pipelines.parameters",
        "pipelines.lock",
        "pipelines.local.watch",
        "pipelines.manifests",
    }
    return module if module in alone else f"{module}.__main__"


@pytest.fixture(autouse=True)
def logging_as_before():
    root, handler = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize("module", COMMANDS)
@settings(max_examples=settings.default.max_examples // 5)
@given(data=st.data())
def test_no_input_ends_in_a_traceback(module, data):
    needed, options, names, work = COMMANDS[module]
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        arguments = shlex.split(needed)
        if names and data.draw(st.booleans()):
            name, value = data.draw(st.sampled_from(names)), data.draw(TEXTS)
            quote = data.draw(st.sampled_from([shlex.quote, str]))
            arguments.append("--set=" + quote(f"{name}={value}"))
        else:
            option, value = data.draw(st.sampled_from(options)), data.draw(TEXTS)
            if data.draw(st.booleans()):
                Path("file").write_bytes(data.draw(CONTENTS))
                value = "file"
            arguments.append(f"{option}={value}")
        end = ended(module, arguments, work)
    assert isinstance(end, str) or end in {0, None, 2}
    assert end != ""


@pytest.mark.parametrize(
    "output", ["/proc/none/x.yaml", "folder.yaml", "x.txt", "x.json", "x", f"{'x' * 300}.yaml"]
)
def test_an_output_that_cannot_be_written_is_named(output, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    with contextlib.chdir(tmp_path):
        end = ended("pipelines.compile", [output], "")
    assert end.startswith("compile: ")
    assert output.removesuffix("/x.yaml") in end
    assert "\n" not in end
