"""Links, make targets and files in the documents exist."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
DOCUMENTS = [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")]
# Created by a run, by a build or by the reader.
MADE = re.compile(r"^(runs|build|images/lock\.yaml|models|path|my_)")
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|yaml|md|jsonl?|svg|txt|env|sh)\b")


def targets():
    text = (TOP / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def named_targets(text):
    """The targets of each `make ...` in a document, in prose or in a block of commands."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", text)
    for command in [*spans, *(line for block in blocks for line in block.splitlines())]:
        words = command.partition("#")[0].split()
        if words[:1] == ["make"]:
            yield from (word for word in words[1:] if re.fullmatch("[a-z][a-z-]*", word))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_linked_files_exist(path):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path):
    assert set(named_targets(path.read_text(encoding="utf-8"))) - targets() == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_exist(path):
    text = re.sub(r"\S+://\S+|\]\([^)]*\)", "", path.read_text(encoding="utf-8"))
    files = {each for each in FILE.findall(text) if not MADE.match(each)}
    assert {each for each in files if not (TOP / each).exists()} == set()


def test_a_target_is_found_in_code_and_in_a_line_of_commands():
    text = "`make run SET=x` and\nmake tea:\n```sh\nmake images push TAG=v1  # make tea\n```\n"
    assert list(named_targets(text)) == ["run", "images", "push"]
