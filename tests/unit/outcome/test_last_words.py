"""The end of a log is told in the words of who failed."""

from components.outcome.last_words import told
from components.outcome.workflow import STEP, Failure

FAILED = Failure("train", STEP, "main: Error (exit code 1)", "pod")
ENDED = "E1126 08:00:01.000000 18 launcher_v2.go:449] Component failed to execute successfully: "


def test_a_library_s_exception_keeps_its_kind():
    log = f"Traceback:\nRuntimeError: CUDA out of memory\n{ENDED}exit status 1"
    assert told(FAILED, log) == "train failed: RuntimeError: CUDA out of memory"


def test_of_a_chain_the_last_exception_counts():
    log = "KeyError: 'a'\n\nThe above exception was the direct cause:\n\nValueError: no label a"
    assert told(FAILED, log).endswith("ValueError: no label a")


def test_a_message_of_several_lines_is_kept_whole():
    log = f"ValueError: two problems\n  one\n  two\n{ENDED}exit status 1"
    assert told(FAILED, log).endswith("ValueError: two problems\n  one\n  two")


def test_a_step_that_was_killed_has_its_last_lines():
    log = f"train: epoch 1 of 5\n{ENDED}signal: killed\nF1126 08:00:01.000000 1 main.go:59] x"
    assert told(FAILED, log) == "train failed: signal: killed\ntrain: epoch 1 of 5"


def test_a_pod_that_was_killed_whole_is_not_the_launcher_s_fault():
    log = "I1126 08:00:01.000000 1 launcher_v2.go:112] Setting log level\ntrain: epoch 1"
    failure = Failure("train", STEP, "main: OOMKilled (exit code 137)", "pod")
    assert told(failure, log) == "train failed: main: OOMKilled (exit code 137): train: epoch 1"


def test_the_inputs_that_kfp_repeats_are_none_of_its_words():
    given = '[KFP Executor 2026-11-26 10:14:56,446 INFO]: Got executor_input:\n{\n  "a": {\n  }\n}'
    log = f"{given}\nthe gate is impossible\n{ENDED}exit status 1"
    assert told(FAILED, log) == "train failed: exit status 1\nthe gate is impossible"


def test_argo_s_word_is_kept_where_it_says_more():
    failure = Failure("train", STEP, "main: OOMKilled (exit code 137)", "pod")
    assert told(failure, f"train: epoch 1\n{ENDED}signal: killed").startswith(
        "train failed: main: OOMKilled (exit code 137): signal: killed"
    )


def test_a_long_text_is_cut():
    assert len(told(FAILED, "ValueError: " + "x" * 9000)) < 2100
