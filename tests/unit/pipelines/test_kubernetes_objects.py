"""The pipeline as objects of Kubernetes: `make compile KUBERNETES=namespace`."""

import pytest
import yaml
from kfp import components

from pipelines.compile import __main__ as command
from pipelines.compile.compiler import version_name
from tests.compiled import read_compiled


def compiled(output, *options):
    command.main([*options, str(output)], standalone_mode=False)
    return output


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return compiled(folder / "out.yaml", "--set", "train_epochs=2")


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    output = compiled(folder / "out.yaml", "--set", "train_epochs=2", "--kubernetes", "team-a")
    return list(yaml.safe_load_all(output.read_text()))


def test_there_are_a_pipeline_and_a_version_of_it(objects):
    pipeline, version = objects
    assert [each["kind"] for each in objects] == ["Pipeline", "PipelineVersion"]
    assert {each["metadata"]["namespace"] for each in objects} == {"team-a"}
    assert version["spec"]["pipelineName"] == pipeline["metadata"]["name"] == "emotion"


def test_the_version_has_the_name_that_an_upload_gives_it(objects, plain):
    assert objects[1]["metadata"]["name"] == version_name(plain)


def test_the_version_holds_the_whole_pipeline(objects, plain):
    spec, platforms = yaml.safe_load_all(plain.read_text())
    version = objects[1]["spec"]
    assert (version["pipelineSpec"], version["platformSpec"]) == (spec, platforms)
    loaded = components.load_component_from_text(yaml.safe_dump(version["pipelineSpec"]))
    assert loaded.name == "emotion"
    assert read_compiled(plain)[0] == version["pipelineSpec"]


def test_a_namespace_that_cannot_be_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="namespace='Team A'"):
        compiled(tmp_path / "out.yaml", "--kubernetes", "Team A")
    assert not (tmp_path / "out.yaml").exists()
