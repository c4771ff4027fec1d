"""Dropdowns of KFP's run form."""

from typing import Literal

import pytest
from kfp import dsl

from components.errors import InputError
from pipelines.compile.compiler import COMPILED, compile_pipeline
from pipelines.compile.dropdowns import choices
from pipelines.parameters import DEFAULTS, read_parameters
from tests.compiled import read_compiled

STYLE = "generate_style"


def literals(path):
    parameters = read_compiled(path)[0]["root"]["inputDefinitions"]["parameters"]
    return {name: each["literals"] for name, each in parameters.items() if "literals" in each}


def test_the_committed_pipeline_offers_every_choice():
    assert literals(COMPILED) == {name: list(each) for name, each in choices().items()}


def test_every_default_is_among_the_choices():
    assert all(DEFAULTS[name] in offered for name, offered in choices().items())


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, offered in choices().items() for value in offered]
)
def test_every_choice_is_accepted(name, value):
    registry = {"deploy_registry": "gs://bucket/models"}
    assert read_parameters(None, cluster={**registry, name: value})[name] == value


@pytest.mark.parametrize("name", ["train_peft_method", "deploy_target"])
def test_what_is_not_offered_and_no_file_is_refused(name):
    with pytest.raises(InputError, match=name.partition("_")[2]):
        read_parameters(None, cluster={name: "other"})


def test_a_file_that_is_compiled_in_is_offered_too(tmp_path):
    compile_pipeline(tmp_path / "out.yaml", parameters={STYLE: "gs://bucket/style.yaml"})
    assert literals(tmp_path / "out.yaml")[STYLE] == [*choices()[STYLE], "gs://bucket/style.yaml"]


def test_the_sdk_still_has_no_word_for_it():
    """Once this fails, `typing.Literal` in the pipeline's signature replaces the module."""
    with pytest.raises(TypeError, match="Literal"):

        @dsl.pipeline(name="x")
        def choosing(value: Literal["a", "b"] = "a") -> None:
            """A pipeline with a closed choice."""
