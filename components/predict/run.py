"""The predict step: plan the work, score a share of the parts, report on all of them."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from components import storage
from components.errors import InputError, StepError, WorkError, listed
from components.predict import parts
from components.predict.inputs import look, names_of, opened
from components.predict.model import choose, refetch
from components.predict.parts import Record
from components.predict.plan import (
    MANIFEST,
    REPORT,
    Part,
    Plan,
    keep,
    named_for,
    plan_for,
    read_plan,
    require_usable,
)
from components.predict.progress import Progress
from components.predict.report import Predictions, render
from components.predict.scoring import Scorer
from components.predict.settings import PredictSettings
from components.predict.tables.table import Window
from components.predict.tally import Tally

_MOST_PROBLEMS = 10
_Found = TypeVar("_Found")
_log = logging.getLogger(__name__)


def plan(settings: PredictSettings, run_id: str = "local") -> Plan:
    """Refuse what would fail later, with every reason, and write down what is to be done.

    Args:
        settings: The user's choices.
        run_id: Names the file that tries the output out.

    Returns:
        The plan, which is also in the output.

    Raises:
        InputError: If the model, the input or the output cannot be used.
        WorkError: If a store does not answer.
    """
    problems: list[StepError] = []

    def tried(look: Callable[[], _Found]) -> _Found | None:
        try:
            return look()
        except StepError as error:
            problems.append(error)
            return None

    with TemporaryDirectory() as downloads:
        model = tried(lambda: choose(settings, Path(downloads)))
    tried(lambda: require_usable(settings, run_id))
    names = tried(lambda: names_of(settings.input)) or []
    named = named_for(settings.text_column, model.labels if model else (), settings.prefix)
    sources = [tried(partial(look, settings.input, name, named)) for name in names]
    if not problems and not any(each.rows for each in sources if each):
        empty = InputError(f"input {settings.input}", "holds no rows", "Name files with rows")
        problems.append(empty)
    if problems or not model:
        raise _refusal(problems)
    planned = plan_for(settings, model, [each for each in sources if each])
    keep(settings, planned)
    count = len(list(planned.parts()))
    _log.info("predict: %s rows in %d parts, model %s", f"{planned.rows:,}", count, model.sha256)
    return planned


def predict(settings: PredictSettings, shard: int = 0, shards: int = 1) -> Tally:
    """Score a shard's parts of a plan that are not there yet.

    Args:
        settings: The user's choices; the plan is in their output.
        shard: Number of this shard, from 0.
        shards: Number of shards.

    Returns:
        What the rows of this shard count, also those of earlier tries.

    Raises:
        InputError: If the input or the model has changed since the plan was made.
        WorkError: If a store does not answer.
    """
    planned = read_plan(settings.output)
    share = planned.share(shard, shards)
    done = parts.finished(planned, settings.output, share)
    missing = [each for each in share if each.name not in done]
    _log.info("predict: shard %d of %d, %d parts to do", shard + 1, shards, len(missing))
    records = list(done.values())
    if missing:
        with TemporaryDirectory() as downloads:
            model = refetch(planned.model, settings.trust, Path(downloads))
            scorer = Scorer(model, settings.threads, planned.choices["max_characters"])
        progress = Progress(sum(each.stop - each.start for each in missing))
        for source, group in groupby(missing, key=lambda part: part.source):
            records += _score(planned, source, list(group), scorer, progress, settings.output)
    return _added(planned, records)


def report(settings: PredictSettings, manifest: Path, page: Path) -> Predictions:
    """Write the manifest of all parts, and the report page; the output gets both as well.

    Args:
        settings: The user's choices; the plan is in their output.
        manifest: JSON file to write.
        page: HTML file to write.

    Returns:
        What was found.

    Raises:
        WorkError: If a part is missing.
    """
    planned = read_plan(settings.output)
    expected = list(planned.parts())
    records = parts.finished(planned, settings.output, expected)
    if missing := [each.name for each in expected if each.name not in records]:
        rule = f"lacks {len(missing)} of {len(expected)} parts, first {missing[0]}"
        raise WorkError(f"output {settings.output}", rule, "Run it again: it goes on there")
    seconds = sum(each.seconds for each in records.values())
    result = Predictions(planned, _added(planned, records.values()), seconds, settings.output)
    store = storage.open_store(settings.output)
    # The manifest last: it says that all is there.
    written = {REPORT: (page, render(result)), MANIFEST: (manifest, result.to_json(records))}
    for name, (path, text) in written.items():
        with storage.staged(path) as draft:
            draft.write_text(text, encoding="utf-8")
        store.write(name, text.encode())
    _log.info("predict: %s", result.sentence)
    return result


def _score(
    planned: Plan,
    source: str,
    missing: Sequence[Part],
    scorer: Scorer,
    progress: Progress,
    output: str,
) -> Iterator[Record]:
    """Score parts of one file, in one go through it."""
    wanted = {each.start: each for each in missing}
    cut: int = planned.choices["part_rows"]

    def start_of(window: Window) -> int:
        return window.start - window.start % cut

    sha256 = next(each.sha256 for each in planned.sources if each.name == source)
    begun = time.monotonic()
    with opened(planned.input, source, planned.named, sha256) as (_, table):
        windows = table.windows(missing[0].start, missing[-1].stop, cut)
        with closing(scorer.scored(each for each in windows if start_of(each) in wanted)) as scored:
            for start, rows in groupby(scored, key=lambda pair: start_of(pair[0])):
                scored_rows = progress.of(rows)
                yield parts.write(planned, wanted[start], table, scored_rows, output, begun)
                begun = time.monotonic()


def _added(planned: Plan, records: Iterable[Record]) -> Tally:
    tally = Tally()
    for record in records:
        tally.add(record.tally, planned.choices["least_sure"])
    return tally


def _refusal(problems: Sequence[StepError]) -> StepError:
    if len(problems) == 1:
        return problems[0]
    told, fix = listed(problems[:_MOST_PROBLEMS]), "Fix them and start again"
    return InputError(f"predict found {len(problems)} problems", told, fix)
