"""Many runs want their model to be the champion at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from components.artifacts.registry import Champion, read_champion, replace_champion
from components.errors import ChampionMovedError

WRITERS = 8


def champion(run, releases):
    return Champion(f"run-{run}", f"models/run-{run}", "a" * 64, {"releases": releases})


@pytest.mark.parametrize("occupied", [False, True])
def test_of_writers_that_saw_the_same_champion_one_wins(folder_uri, occupied):
    if occupied:
        replace_champion(folder_uri, champion("old", 0), 0)
    together = Barrier(WRITERS)

    def release(run):
        _, generation = read_champion(folder_uri)
        together.wait()
        try:
            replace_champion(folder_uri, champion(run, 1), generation)
        except ChampionMovedError as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = list(pool.map(release, range(WRITERS)))

    winner, _ = read_champion(folder_uri)
    assert outcomes.count("won") == 1
    assert winner.run_id == f"run-{outcomes.index('won')}"
    assert sum(f"is run {winner.run_id} " in outcome for outcome in outcomes) == WRITERS - 1


def test_no_release_is_lost_when_the_losers_try_again(folder_uri):
    def release(run):
        while True:
            current, generation = read_champion(folder_uri)
            releases = current.metrics["releases"] + 1 if current else 1
            try:
                return replace_champion(folder_uri, champion(run, releases), generation)
            except ChampionMovedError:
                continue

    with ThreadPoolExecutor(WRITERS) as pool:
        generations = list(pool.map(release, range(WRITERS)))

    assert len(set(generations)) == WRITERS
    assert read_champion(folder_uri)[0].metrics == {"releases": WRITERS}
