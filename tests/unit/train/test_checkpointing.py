"""When checkpoints are written: by steps, by time, and before SIGTERM is obeyed."""

import signal
import threading

import pytest

from components.train.loop.checkpointing import Schedule
from components.train.loop.sigterm import DeferredSigterm
from components.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("schedule", "step", "minutes", "is_due"),
    [
        (Schedule(0, 0), 40, 1e6, False),
        (Schedule(4, 0), 8, 0, True),
        (Schedule(4, 0), 9, 1e6, False),
        (Schedule(0, 10), 9, 9.9, False),
        (Schedule(0, 10), 9, 10, True),
        (Schedule(4, 10), 8, 1, True),
    ],
)
def test_checkpoints_are_due_by_steps_and_by_time(schedule, step, minutes, is_due):
    assert schedule.is_due(step, minutes * 60) is is_due


def test_without_a_word_checkpoints_are_minutes_apart():
    assert 0 < TrainSettings().checkpoint_minutes <= 15


@pytest.fixture
def handled():
    """The signals that reached the handler that stands outside the block."""
    numbers = []
    before = signal.signal(signal.SIGTERM, lambda number, _: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before)


def test_sigterm_waits_for_the_end_of_the_block(handled):
    with DeferredSigterm() as sigterm:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert sigterm.received
        assert handled == []
    assert handled == [signal.SIGTERM]


def test_sigterm_is_obeyed_once_when_it_is_time(handled):
    with DeferredSigterm() as sigterm:
        signal.raise_signal(signal.SIGTERM)
        sigterm.obey()
        assert handled == [signal.SIGTERM]
    assert handled == [signal.SIGTERM]


def test_without_sigterm_nothing_happens_and_the_handler_is_back(handled):
    outside = signal.getsignal(signal.SIGTERM)
    with DeferredSigterm() as sigterm:
        assert not sigterm.received
    assert signal.getsignal(signal.SIGTERM) is outside
    assert handled == []


def test_an_error_is_not_hidden_by_sigterm(handled):
    with pytest.raises(KeyError), DeferredSigterm():
        signal.raise_signal(signal.SIGTERM)
        raise KeyError
    assert handled == []


def test_outside_the_main_thread_signals_are_left_alone(handled):
    outside = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with DeferredSigterm():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [outside]
    assert handled == []
