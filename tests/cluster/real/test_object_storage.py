"""SeaweedFS keeps what the registry relies on: of several writers at one generation, one wins."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from components import storage
from components.artifacts.publishing import publish
from components.artifacts.registry import Champion, read_champion, replace_champion
from components.errors import ChampionMovedError, InputError
from tests.cluster.real.site import REGISTRY

pytestmark = pytest.mark.cluster
_WRITERS = 8


def champion(number: int) -> Champion:
    return Champion(f"run-{number}", f"{REGISTRY}/run-{number}", "a" * 64, {"accuracy": 0.9})


@pytest.mark.usefixtures("site")
def test_of_several_runs_at_one_generation_one_becomes_the_champion():
    generation = replace_champion(REGISTRY, champion(0), 0)

    def replace(number: int) -> int:
        try:
            return replace_champion(REGISTRY, champion(number), generation)
        except ChampionMovedError:
            return 0

    with ThreadPoolExecutor(_WRITERS) as pool:
        given = list(pool.map(replace, range(1, _WRITERS + 1)))
    (winner,) = (each for each in given if each)
    assert read_champion(REGISTRY) == (champion(1 + given.index(winner)), winner)


@pytest.mark.usefixtures("site")
def test_a_model_is_published_whole_and_its_place_is_claimed(models, tmp_path):
    publish(models["old"], f"{REGISTRY}/run-1")
    publish(models["old"], f"{REGISTRY}/run-1")
    fetched = storage.fetch(f"{REGISTRY}/run-1", tmp_path)
    assert {path.name for path in models["old"].iterdir()} >= {x.name for x in fetched.iterdir()}
    with pytest.raises(InputError, match="another model"):
        publish(models["new"], f"{REGISTRY}/run-1")
