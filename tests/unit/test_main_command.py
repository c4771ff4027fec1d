"""`emotion-pipeline`: its commands, their help, and what a shell completes."""

import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from components.__main__ import COMMANDS, main
from components.descriptions import described
from components.generate.settings import GenerateSettings
from pipelines.compile.source import PIPELINES
from pipelines.definitions import DEFINITIONS

TOP = Path(__file__).parents[2]


def run(*words):
    return CliRunner().invoke(main, words, prog_name="emotion-pipeline")


def completed(*words):
    """What a shell offers for the last word."""
    *before, incomplete = words
    shell = ShellComplete(main, {}, "emotion-pipeline", "_EMOTION_PIPELINE_COMPLETE")
    return [each.value for each in shell.get_completions(before, incomplete)]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_tells_of_a_command_what_its_own_help_tells(name):
    entry = COMMANDS[name]
    command = entry.load()
    assert command.get_short_help_str(limit=200) == entry.help
    assert (
        entry.extra
        in tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
    with click.Context(command, info_name=name) as context:
        undocumented = [
            each.name
            for each in command.params
            if isinstance(each, click.Option) and not each.help and name != "serve"
        ]
        assert "--help" in command.get_help(context)
    assert undocumented == []


def test_every_command_is_in_the_list():
    said = run("--help").output
    for name, entry in COMMANDS.items():
        assert f"  {name} " in said
        assert " ".join(entry.help.split()[:3]) in said
    assert run("-h").output == said


def test_the_help_of_a_step_lists_its_settings():
    said = " ".join(run("generate", "--help").output.split())
    for each in described(GenerateSettings):
        assert f"{each.name} {each}" in said
    assert "Real train rows of the label to show in each request" in said
    assert "[int, default: 200]" in said


def test_the_help_of_the_predictor_says_what_each_option_means():
    said = " ".join(run("serve", "--help").output.split())
    assert "--batch-tokens INTEGER Most tokens in a batch, padding included." in said
    assert "--page / --no-page Serve the page for people" in said


def test_what_is_no_command_or_option_is_a_usage_error():
    for words in (
        ["mrge"],
        ["generate", "--outptu", "x"],
        ["generate"],
        ["compile", "--pipeline=x"],
    ):
        ended = run(*words)
        assert (ended.exit_code, ended.output.startswith("Usage: emotion-pipeline")) == (2, True)
        assert "Error: " in ended.output


@pytest.mark.parametrize(
    ("words", "loaded", "package"),
    [
        (["export-encoder", "a", "b"], "components.train.export.encoder", "torch"),
        (
            ["compare", "a", "b", "--output", "c.html"],
            "components.evaluate.side_by_side.page",
            "jinja2",
        ),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_extra(words, loaded, package, monkeypatch):
    for module in [name for name in sys.modules if name in {loaded, "components.reports"}]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    ended = run(*words)
    assert ended.exit_code == 1
    (line,) = ended.output.splitlines()
    assert line.startswith(f"Error: {words[0]} needs the package {package}, which is not")
    assert line.endswith(f"pip install 'emotion-pipeline[{COMMANDS[words[0]].extra}]'.")


def test_a_module_of_ours_that_is_missing_is_a_bug(monkeypatch):
    monkeypatch.setitem(sys.modules, "components.merge.__main__", None)
    assert isinstance(run("merge").exception, ModuleNotFoundError)


def test_the_pipelines_that_may_be_named_are_those_that_there_are():
    assert list(DEFINITIONS) == list(PIPELINES)


def test_a_shell_completes_commands_options_and_values():
    assert completed("") == list(COMMANDS)
    assert completed("pub") == ["publish-model"]
    assert completed("run", "--pa") == ["--params"]
    assert completed("compile", "--pipeline", "w") == ["watch"]
    assert completed("manifest", "") == ["katib", "optimization-job", "train-job"]
    assert completed("train", "--set", "epo") == ["epochs=3"]
    assert completed("generate", "--set", "form") == ["form_filter=true"]


def test_a_shell_completes_shipped_sets_and_files():
    shell = ShellComplete(main, {}, "emotion-pipeline", "_EMOTION_PIPELINE_COMPLETE")
    offered = shell.get_completions(["run", "--params"], "sm")
    assert [(each.value, each.type) for each in offered] == [
        ("sm", "file"),
        ("smoke", "plain"),
    ]


def test_a_shipped_set_is_known_by_its_name_and_a_file_of_that_name_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = run("parameters", "--params", "smoke")
    path = TOP / "pipelines" / "params" / "smoke.yaml"
    assert shipped.output == run("parameters", "--params", str(path)).output
    (tmp_path / "smoke").write_text("seed: 7\n")
    assert "\nseed: 7\n" in run("parameters", "--params", "smoke").output


@pytest.mark.parametrize("word", ["smok", ""])
def test_a_word_that_names_no_set_is_refused_with_those_that_there_are(word):
    done = run("parameters", "--params", word)
    assert done.exit_code == 2
    sets = "autoscaling, distributed, full, llm, local, search, seed, sharded, smoke"
    assert f"'{word}' is no file. Use {sets}, or a path" in done.output
    with pytest.raises(SystemExit, match=r"^parameters: parameter file no/smok: "):
        raise run("parameters", "--params", "no/smok").exception
