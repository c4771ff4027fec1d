"""Copies of checkpoints: when they are made, and where they go by default."""

import threading
from pathlib import Path

import pytest

from components.train.default_copies import with_copies
from components.train.loop.copies import Copying
from components.train.settings import TrainSettings

LOCAL = Path("checkpoints")


class SlowStore:
    """Copies to a store that takes as long as a test wants."""

    uri = "gs://slow/folder"

    def __init__(self):
        self.free = threading.Event()
        self.begun = threading.Event()
        self.made = []

    def mirror(self, local, kept, new):
        self.begun.set()
        assert self.free.wait(30)
        self.made.append((local, set(kept), set(new)))


def test_a_slow_store_gets_fewer_copies_and_nobody_waits_for_it():
    store = SlowStore()
    with Copying(store, LOCAL) as copying:
        copying.request({4}, 4)
        assert store.begun.wait(30)
        for kept, newest in (({4, 8}, 8), ({4, 8, 11}, 11), ({8, 11, 12}, 12)):
            copying.request(kept, newest)
        assert store.made == []
        assert copying.in_use() == {4, 8, 11, 12}
        store.free.set()
        copying.wait()
        assert copying.in_use() == set()
    assert store.made == [(LOCAL, {4}, {4}), (LOCAL, {8, 11, 12}, {8, 11, 12})]


def test_the_end_of_the_block_waits_for_the_copies():
    store = SlowStore()
    with Copying(store, LOCAL) as copying:
        copying.request({11}, 11)
        threading.Timer(0.1, store.free.set).start()
    assert store.made == [(LOCAL, {11}, {11})]


def test_copies_go_to_the_steps_own_place_in_object_storage(gs_bucket, s3_bucket):
    settings = TrainSettings()
    for bucket in (gs_bucket, s3_bucket, s3_bucket.replace("s3", "minio")):
        place = f"{bucket}/runs/1/checkpoints"
        assert with_copies(settings, place) == TrainSettings(checkpoint_uri=place)


@pytest.mark.parametrize("uri", ["", "runs/1/checkpoints", "file:///runs/1/checkpoints"])
def test_on_a_disk_checkpoints_are_not_copied(uri):
    settings = TrainSettings()
    assert with_copies(settings, uri) is settings


def test_the_users_place_for_copies_wins(gs_bucket):
    settings = TrainSettings(checkpoint_uri="gs://mine/checkpoints")
    assert with_copies(settings, f"{gs_bucket}/runs/1/checkpoints") is settings
