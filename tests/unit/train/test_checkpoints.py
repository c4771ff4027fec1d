import json
import os
import shutil
from dataclasses import replace

import pytest

from components import storage
from components.artifacts.model import bundle
from components.errors import InputError
from components.train.loop.checkpoints import ended_at, fingerprint, newest_valid, thin_out
from components.train.loop.copies import Copies
from components.train.settings import TrainSettings

RUN = fingerprint(TrainSettings(), dataset="a")
OTHER_RUN = fingerprint(TrainSettings(), dataset="b")
WEIGHTS = "adapter_model.safetensors"


def write_checkpoint(local, step, best=None, run=RUN):
    folder = local / f"checkpoint-{step}"
    (folder / "inner").mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(bytes([step]) * 100)
    (folder / "inner" / "more.json").write_text(str(step))
    (folder / "trainer_state.json").write_text(json.dumps({"best_global_step": best}))
    bundle.seal(folder, {"fingerprint": run})
    return folder


@pytest.fixture
def local(tmp_path):
    folder = tmp_path / "checkpoints"
    for step, best in ((4, None), (8, 4), (11, 8)):
        write_checkpoint(folder, step, best)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def manifest_without(name):
    def damage(folder):
        content = json.loads((folder / bundle.MANIFEST).read_text())
        del content["files"][name]
        (folder / bundle.MANIFEST).write_text(json.dumps(content))

    return damage


def flip(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[50] ^= 1
    (folder / WEIGHTS).write_bytes(content)


DAMAGES = {
    "differs from its sha256": flip,
    "differs from its sha256 ": lambda folder: os.truncate(folder / WEIGHTS, 60),
    "in the manifest but missing": lambda folder: (folder / WEIGHTS).unlink(),
    "has no manifest.json": lambda folder: (folder / bundle.MANIFEST).unlink(),
    "is not a manifest": lambda folder: os.truncate(folder / bundle.MANIFEST, 20),
    "is not in the manifest": manifest_without(WEIGHTS),
}


def test_the_newest_checkpoint_is_found_by_number_and_not_by_name(local):
    assert newest_valid(local, "", RUN) == local / "checkpoint-11"
    assert newest_valid(local / "none", "", RUN) is None


@pytest.mark.parametrize(("reason", "damage"), DAMAGES.items(), ids=range(len(DAMAGES)))
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_is_used(
    local, reason, damage, caplog
):
    damage(local / "checkpoint-11")

    assert newest_valid(local, "", RUN) == local / "checkpoint-8"
    assert names(local) == ["checkpoint-4", "checkpoint-8", "unusable-checkpoint-11"]
    assert "checkpoint-11 is skipped: " in caplog.text
    assert reason.strip() in caplog.text


def test_a_checkpoint_whose_best_one_is_lost_is_not_used(local, caplog):
    flip(local / "checkpoint-8")

    assert newest_valid(local, "", RUN) == local / "checkpoint-4"
    assert "the best checkpoint, of step 8, is lost" in caplog.text


def test_checkpoints_of_other_settings_or_data_are_not_used_but_kept(local, caplog):
    assert newest_valid(local, "", OTHER_RUN) is None
    assert "belongs to a run with other settings, data, tokens or versions" in caplog.text
    assert names(local) == [f"unusable-checkpoint-{step}" for step in (11, 4, 8)]


def test_the_fingerprint_follows_what_changes_the_weights_and_nothing_else():
    settings = TrainSettings()
    safe = replace(settings, checkpoint_steps=7, checkpoint_minutes=1, checkpoint_uri="gs://a/b")

    assert fingerprint(safe, dataset="a") == RUN
    assert fingerprint(replace(settings, seed=1), dataset="a") != RUN
    assert RUN != OTHER_RUN


def test_another_machine_gets_the_newest_copy_and_the_best_one_it_refers_to(
    local, folder_uri, tmp_path
):
    Copies(folder_uri, RUN).mirror(local, {4, 8, 11}, {11})

    found = newest_valid(tmp_path / "new", folder_uri, RUN)

    assert found == tmp_path / "new" / "checkpoint-11"
    assert names(found.parent) == ["checkpoint-11", "checkpoint-8"]
    for name in names(found.parent):
        whole = bundle.verify(found.parent / name)
        assert whole.sha256 == bundle.verify(local / name).sha256


def test_a_damaged_checkpoint_is_replaced_by_its_copy(local, folder_uri):
    Copies(folder_uri, RUN).mirror(local, {8, 11}, {11})
    flip(local / "checkpoint-11")

    assert newest_valid(local, folder_uri, RUN) == local / "checkpoint-11"
    assert bundle.verify(local / "checkpoint-11")


@pytest.mark.parametrize("name", [WEIGHTS, "inner/more.json", bundle.MANIFEST])
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_damaged_copy_is_skipped(local, folder_uri, tmp_path, name, is_lost, caplog):
    Copies(folder_uri, RUN).mirror(local, {4, 8, 11}, {11})
    copy = storage.open_store(f"{folder_uri}/{RUN[:16]}/checkpoint-11")
    content, _ = copy.read(name)
    copy.remove([name])
    if not is_lost:
        copy.write(name, content[:-3])

    assert newest_valid(tmp_path / "new", folder_uri, RUN) == tmp_path / "new" / "checkpoint-8"
    assert names(tmp_path / "new") == ["checkpoint-4", "checkpoint-8"]
    assert "a copied checkpoint is skipped: " in caplog.text
    assert name in caplog.text


@pytest.mark.parametrize("name", ["../../outside", "/outside", "inner/../../outside"])
def test_a_copy_that_would_be_written_outside_the_folder_is_refused(local, tmp_path, name):
    copies = tmp_path / "copies"
    Copies(str(copies), RUN).mirror(local, {4}, {4})
    folder = copies / RUN[:16] / "checkpoint-4"
    content = json.loads((folder / bundle.MANIFEST).read_text())
    content["files"][name] = "0" * 64
    (folder / bundle.MANIFEST).write_text(json.dumps(content))

    with pytest.raises(InputError, match=f"{name}' leads out of the folder"):
        Copies(str(copies), RUN).download(4, tmp_path / "new")
    assert not list(tmp_path.rglob("outside*"))
    assert names(tmp_path / "new") == []


def test_copies_follow_what_is_kept_and_make_good_what_failed_before(local, folder_uri):
    copies = Copies(folder_uri, RUN)
    copies.mirror(local, {4, 8}, {8})
    assert copies.steps() == {4, 8}

    # The copy of step 8 turns out half-written; the next mirroring completes it.
    copy = storage.open_store(f"{folder_uri}/{RUN[:16]}/checkpoint-8")
    copy.remove([bundle.MANIFEST])
    copies.mirror(local, {8, 11}, {11})

    assert copies.steps() == {8, 11}
    assert bundle.MANIFEST in copy.sizes()


def test_copies_of_other_runs_are_left_alone(local, folder_uri):
    Copies(folder_uri, OTHER_RUN).mirror(local, {4}, {4})
    Copies(folder_uri, RUN).mirror(local, {11}, {11})

    assert Copies(folder_uri, OTHER_RUN).steps() == {4}


def test_a_copy_that_fails_is_a_warning(local, tmp_path, caplog):
    (tmp_path / "copies").write_text("a file where a folder should be")

    Copies(str(tmp_path / "copies"), RUN).mirror(local, {11}, {11})

    assert f"checkpoint 11 is not copied to {tmp_path / 'copies'}: " in caplog.text


def test_copies_that_cannot_be_read_are_refused_before_any_work(local, tmp_path):
    (tmp_path / "copies").write_text("a file where a folder should be")
    for uri in (str(tmp_path / "copies"), "nothing://bucket/folder"):
        with pytest.raises(InputError, match="checkpoints cannot be read from it") as refusal:
            newest_valid(local, uri, RUN)
        assert refusal.value.thing == uri


def test_a_checkpoint_that_is_being_copied_is_not_removed(local):
    write_checkpoint(local, 12, best=11)
    assert thin_out(local, in_use={4}) == {11, 12, 8}
    assert names(local) == [f"checkpoint-{step}" for step in (11, 12, 4, 8)]
    assert thin_out(local) == {11, 12, 8}
    assert names(local) == [f"checkpoint-{step}" for step in (11, 12, 8)]


def test_no_uri_means_no_copies(local, tmp_path):
    shutil.copytree(local, tmp_path / "before")
    Copies("", RUN).mirror(local, {11}, {11})

    assert Copies("", RUN).steps() == set()
    assert names(local) == names(tmp_path / "before")


@pytest.mark.parametrize(("is_over", "step"), [(True, 45), (False, 0)])
def test_a_checkpoint_says_whether_training_was_over(tmp_path, is_over, step):
    control = {"TrainerControl": {"args": {"should_training_stop": is_over}}}
    state = {"stateful_callbacks": control, "global_step": 45}
    (tmp_path / "trainer_state.json").write_text(json.dumps(state))

    assert ended_at(tmp_path) == step
