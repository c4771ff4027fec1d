"""Files that name labels beside rows that have nothing but their ids."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.task import load_task
from components.errors import InputError
from components.merge.reading.label_lists import names_in_file
from components.merge.reading.sources import locate, read_tables
from components.merge.settings import MergeSettings

TASK = list(load_task("emotion").names)
OTHER = sorted(TASK)
"""The names in another order: id 0 is anger, and not sadness."""
BY_ID = {str(place): name for place, name in enumerate(OTHER)}
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": OTHER, "_type": "ClassLabel"},
}
OLD = {"num_classes": 6, "names": OTHER, "names_file": None, "id": None, "_type": "ClassLabel"}


def lines(form, names=OTHER):
    return "".join(form.format(id=place, name=name) + "\n" for place, name in enumerate(names))


def rows(root, name="train.csv", labels=(0, 1, 2)):
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("text,label\n" + "".join(f"day {each},{each}\n" for each in labels))
    return root


def read(path, **chosen):
    settings = MergeSettings(dataset=str(path), **chosen)
    tables = read_tables(settings, locate(settings, path.parent / "downloads"))
    return [label for table in tables.values() for label in table["label"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", lines("{name}")),
        ("labels.txt", lines("{id} {name}")),
        ("labels", lines("{name}")),
        ("class_names.txt", ", ".join(OTHER)),
        ("label-names.txt", lines("{id}: {name}")),
        ("emotions.txt", lines("{name}")),
        ("label_list.txt", lines("{name},{id}")),
        ("label_names.json", json.dumps(OTHER)),
        ("labels.json", json.dumps({"labels": OTHER})),
        ("labels.json", json.dumps([{"id": n, "name": name} for n, name in enumerate(OTHER)])),
        ("id2label.json", json.dumps(BY_ID)),
        ("config.json", json.dumps({"model_type": "bert", "id2label": BY_ID})),
        ("label2id.json", json.dumps({name: int(number) for number, name in BY_ID.items()})),
        ("mapping.json", json.dumps({n: {"name": name} for n, name in BY_ID.items()})),
        ("feelings.json", json.dumps({"emotions": OTHER})),
        ("labels.yaml", lines("{id}: {name}")),
        ("data.yml", "names:\n" + lines("- {name}")),
        ("labels.csv", "id,name\n" + lines("{id},{name}")),
        ("labels.csv", "name;id;what\n" + lines("{name};{id};a feeling")),
        ("label_names.csv", "label\n" + lines("{name}")),
        ("classes.tsv", lines("{id}\t{name}")),
        ("label_info.json", json.dumps({"version": 2, "id_to_label": BY_ID})),
        ("meta.json", json.dumps({"label_to_id": dict(zip(OTHER, range(6), strict=True)), "n": 6})),
        ("set.json", json.dumps({"version": 1, "emotions": OTHER})),
        (
            "info.json",
            json.dumps({"name": "x", "features": {"text": {}, "label": {"names": OTHER}}}),
        ),
        ("labels.csv", "description,label,count,id\n" + lines("a feeling,{name},9,{id}")),
        ("labels.csv", "label,name\n" + lines("{id},{name}")),
        ("labels.csv", "count,index,emotion\n" + lines("9{id},{id},{name}")),
        ("labels.csv", "name,about,value\n" + lines("{name},a feeling,{id}")),
        ("labels.txt", " ".join(OTHER)),
        ("labels.txt", lines('"{name}",')),
        ("labels.txt", str(OTHER)),
        ("labels", str(BY_ID)),
        ("labels.txt", lines("{id} - {name}")),
        ("labels.txt", lines("{id} -> {name}")),
        ("labels.txt", "# of the set\n" + lines("{id}: {name}  # a feeling")),
        ("labels.txt", lines("{name} - {id}")),
        ("labels.txt", "label\n" + lines("{name}")),
        ("classes.txt", "Class\n" + lines("{name}")),
        ("label_names.txt", "id\tname\n" + lines("{id}\t{name}")),
        ("goemotions_labels_v2.txt", lines("{name}")),
    ],
)
def test_another_order_beside_ids_is_refused_with_a_label_map(name, content, tmp_path):
    root = rows(tmp_path / "set")
    (root / name).write_text(content)

    fault = rf"{name}: says that 0 is 'anger', while id 0 of the task emotion is sadness.*label_map"
    for given_path in (root, root / "train.csv"):
        with pytest.raises(InputError, match=fault) as refused:
            read(given_path)
    example = json.loads(refused.value.fix.partition("example ")[2].partition("}")[0] + "}")
    assert read(root, label_map=example) == OTHER[:3]


def test_names_that_the_task_does_not_have_are_refused_with_those_that_it_has(tmp_path):
    root = rows(tmp_path / "set")
    (root / "labels.txt").write_text("sad\nhappy\n")

    wanted = r"0 is 'sad', while id 0 .* what each id means, one of sadness, joy, love, anger, fear"
    with pytest.raises(InputError, match=wanted):
        read(root)


@pytest.mark.parametrize("folder", ["set", "set/data"])
def test_names_in_the_folder_of_the_rows_or_above_it_are_found(folder, tmp_path):
    rows(tmp_path / "set/data")
    (tmp_path / folder / "classes.txt").write_text(lines("{name}"))

    for given_path in ("set", "set/data", "set/data/train.csv"):
        with pytest.raises(InputError, match=r"classes\.txt: says that 0 is 'anger'"):
            read(tmp_path / given_path)


@pytest.mark.parametrize(
    ("folder", "is_found"),
    [("mine", False), ("feelings", False), ("raw", True), ("CSV", True), ("train", True)],
)
def test_names_above_are_those_of_the_rows_only_where_their_folder_is_a_part(
    folder, is_found, tmp_path
):
    rows(tmp_path / folder)
    (tmp_path / "classes.txt").write_text(lines("{name}"))

    for given_path in (folder, f"{folder}/train.csv"):
        if is_found:
            with pytest.raises(InputError, match=r"classes\.txt: says that 0 is 'anger'"):
                read(tmp_path / given_path)
        else:
            assert read(tmp_path / given_path) == ["0", "1", "2"]


def test_names_above_are_those_of_the_rows_in_a_clone(tmp_path):
    rows(tmp_path / "mine")
    (tmp_path / ".git").mkdir()
    (tmp_path / "classes.txt").write_text(lines("{name}"))

    with pytest.raises(InputError, match=r"classes\.txt: says that 0 is 'anger'"):
        read(tmp_path / "mine")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", lines("{name}", TASK)),
        ("classes.txt", lines("{name}", [name.title() for name in TASK[:3]])),
        ("labels.csv", "id,name\n" + lines("{id},{name}", TASK)),
        ("id2label.json", json.dumps(dict(enumerate(TASK)))),
        ("labels.txt", lines("{id}")),
        ("labels.txt", "0\n1\n0\n"),
        ("labels.txt", "joy\nfear\njoy\n"),
        ("labels.json", json.dumps(dict.fromkeys(TASK, "a feeling"))),
        ("labels.json", "{"),
        ("words.txt", "happy\nafraid\n"),
        ("counts.csv", "label,rows\njoy,4\nfear,3\n"),
        ("task.yaml", "name: mood\nlabels:\n- {name: joy, description: a feeling}\n"),
        ("README.md", "# Labels\n0: joy\n1: fear\n"),
        ("word2id.json", json.dumps({"the": 0, "joy": 1})),
        ("idx2word.json", json.dumps({"0": "the", "1": "a"})),
        ("classification_report.csv", "name,value\nprecision,0\nrecall,1\n"),
        ("classifiers.txt", "forest\nbayes\n"),
        ("labeling_guidelines.txt", "1. Read the text\n2. Choose\n"),
        ("labels_readme.txt", "joy\nfear\nThese are all\n"),
        ("labelers.csv", "id,name\n0,Ann\n1,Joy\n"),
        ("class_of_2024.txt", "Ann\nJoy\n"),
        ("shipping_labels.csv", "id,name\n0,express\n1,parcel\n"),
        ("label_counts.csv", "label,value\n" + lines("{name},{id}")),
        ("class_weights.json", json.dumps(dict(zip(OTHER, range(6), strict=True)))),
    ],
)
def test_the_order_of_the_task_and_what_names_no_ids_are_fine(name, content, tmp_path):
    root = rows(tmp_path / "set")
    (root / name).write_text(content)

    assert read(root) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("labels", "is_certain"),
    [
        ((1, 2, 5), False),
        ((1, 6), False),
        ((1.0, 2), False),
        ((0, 1, 2), True),
        ((1, 1), True),
        ((2, 3), True),
        ((1, 2, "joy"), True),
    ],
)
def test_ids_that_may_be_counted_from_1_are_refused_with_a_map_for_both(
    labels, is_certain, tmp_path
):
    root = rows(tmp_path / "set", labels=labels)
    if is_certain:
        assert read(root) == [str(each) for each in labels]
        return
    with pytest.raises(InputError, match=r"of which 0 does not occur \(1, [\d, ]+\)") as refused:
        read(root)
    maps = [json.loads(each) for each in re.findall(r"\{.*?\}", refused.value.fix)]
    keys = [str(int(each)) for each in labels]
    assert maps[0] == {key: TASK[int(key)] for key in keys if int(key) < len(TASK)}
    assert maps[1] == {key: TASK[int(key) - 1] for key in keys}
    assert read(root, label_map=maps[1]) == list(maps[1].values())


def test_ids_without_0_are_read_where_a_file_says_what_they_mean(tmp_path):
    root = rows(tmp_path / "set", labels=(1, 2))
    (root / "labels.txt").write_text(lines("{name}", TASK))

    assert read(root) == ["1", "2"]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_names_are_read_in_the_encodings_that_windows_writes(encoding, tmp_path):
    (tmp_path / "labels.txt").write_bytes("Ärger\r\nFreude\r\n".encode(encoding))

    assert names_in_file(tmp_path / "labels.txt") == {0: "Ärger", 1: "Freude"}


@pytest.mark.parametrize(
    ("name", "content", "is_told"),
    [
        ("labels.json", b"{", True),
        ("id2label.pkl", b"\x80\x04", True),
        ("labels", b"\x00\x01\n\x02", True),
        ("old_labels.json", b"{", False),
        ("notes.json", b"{", False),
    ],
)
def test_a_file_of_labels_that_cannot_be_read_is_named(name, content, is_told, tmp_path, caplog):
    root = rows(tmp_path / "set")
    (root / name).write_bytes(content)

    assert read(root) == ["0", "1", "2"]
    told = f"not read, though its name says that it names labels: {root / name}"
    assert (told in caplog.text) == is_told


def test_rows_with_names_need_no_file(tmp_path):
    root = rows(tmp_path / "set", labels=("joy", "fear", "love"))
    (root / "classes.txt").write_text(lines("{name}"))

    assert read(root) == ["joy", "fear", "love"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset_info.json", {"features": FEATURES}),
        ("dataset_infos.json", {"default": {"features": FEATURES}}),
        ("dataset_infos.json", {"default": {"features": {**FEATURES, "label": OLD}}}),
        ("dataset_info.json", {"features": {"text": FEATURES["text"], "feeling": OLD}}),
    ],
)
def test_what_the_hub_writes_is_read_as_the_names(name, content, tmp_path):
    root = rows(tmp_path / "set")
    (root / name).write_text(json.dumps(content))

    assert read(root) == OTHER[:3]
    (root / "classes.txt").write_text(lines("{name}", TASK))
    assert read(root) == OTHER[:3]


def test_two_files_of_the_hub_that_state_different_orders_are_refused(tmp_path):
    root = rows(tmp_path / "set")
    (root / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    turned = {**FEATURES, "label": {"names": TASK, "_type": "ClassLabel"}}
    (root / "dataset_infos.json").write_text(json.dumps({"default": {"features": turned}}))

    with pytest.raises(InputError, match="states the names of labels in different orders"):
        read(root)


@pytest.mark.parametrize("content", ['{"features": {"label": {"_type": "ClassLabel"', "[1]"])
def test_a_broken_file_of_the_hub_is_refused_if_it_may_state_names(content, tmp_path):
    root = rows(tmp_path / "set")
    (root / "dataset_info.json").write_text(content)

    if "ClassLabel" not in content:
        assert read(root) == ["0", "1", "2"]
        return
    with pytest.raises(InputError, match=r"dataset_info\.json: states the names .* cannot be read"):
        read(root)


@pytest.mark.parametrize("table", ["rows.csv", "train.csv"])
def test_a_table_of_ids_and_names_is_no_table_of_rows(table, tmp_path):
    root = rows(tmp_path / "set", table)
    (root / "labels.csv").write_text("id,name,about\n" + lines("{id},{name},a feeling", TASK))

    assert read(root) == ["0", "1", "2"]


def test_a_table_of_rows_is_read_whatever_its_name(tmp_path, caplog):
    root = rows(tmp_path / "set", "labels.csv", (3, 4))
    assert read(root) == ["3", "4"]
    rows(root, "train.csv")
    assert read(root) == ["0", "1", "2"]
    assert "not read, since its name has no split" in caplog.text
    assert "labels.csv" in caplog.text


@given(
    st.sampled_from(["a.txt", "labels.csv", "labels.json", "labels.yaml"]),
    st.text('ab01,;:.[]{}" -\t\n', max_size=40),
)
def test_any_content_is_names_or_none(tmp_path_factory, name, content):
    path = tmp_path_factory.getbasetemp() / "content" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    names = names_in_file(path)

    assert all(isinstance(each, int) for each in names)
    assert all(name.strip() for name in names.values())
