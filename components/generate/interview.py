"""The conversation of a run: with the LLM that writes, and the one that judges what it wrote."""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.ledger_lines import JudgeLine, OpinionLine
from components.artifacts.task import Task
from components.generate.classifier_judge import ClassifierJudge
from components.generate.engines import LlmEndpoint, may_have_key, parse_model, serving
from components.generate.harvest import Harvest
from components.generate.judge import LabelJudge, Trial, tried_out, with_opinions
from components.generate.ledger import Ledger
from components.generate.llm import ChatClient, in_order
from components.generate.request import Answer, Request
from components.generate.settings import CLASSIFIERS, GenerateSettings

_log = logging.getLogger(__name__)
Opinion = Callable[[str], Awaitable[OpinionLine]]


@contextmanager
def servers_of(
    settings: GenerateSettings, folder: Path, context_tokens: int
) -> Iterator[Mapping[str, LlmEndpoint]]:
    """Provide the servers of a run during a block.

    Args:
        settings: They name the LLM that writes, which may be a recording, and the one that judges.
        folder: Takes the log of a server that is started.
        context_tokens: Most tokens of a request and its answer together.

    Yields:
        The servers by the reference of their LLM.

    Raises:
        InputError: If an LLM is missing, or differs from its pin.
        WorkError: If a server does not start.
    """
    references = dict.fromkeys((settings.chosen_model, settings.chosen_judge))
    models = {each: parse_model(each) for each in references if each not in ("", *CLASSIFIERS)}
    with ExitStack() as stack:
        yield {
            reference: stack.enter_context(
                serving(model, settings.llm_concurrency, folder, context_tokens, settings.gpus)
            )
            for reference, model in models.items()
            if model.kind != "recorded"
        }


@asynccontextmanager
async def _at_most(seconds: float | None) -> AsyncIterator[None]:
    """Cancel what is left of a block when the time is over, which is no error."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise


@dataclass(frozen=True)
class Interview:
    """What is asked, who is asked, and where the answers go.

    Args:
        settings: The LLMs, and how many requests they get at a time.
        task: Its labels are what is judged.
        rounds: The requests of each round, drawn until the harvest wants no more of them.
        recorded: Gives recorded answers in place of an LLM's; None asks the LLM.
        real: Real train texts of each label, on which the judge is tried out; may be empty.
        ledger: Records answers and opinions.
        harvest: Takes the answers.
        learner: The judge, if it is a classifier; it learns again after each round.
    """

    settings: GenerateSettings
    task: Task
    rounds: Iterable[Iterator[Request]]
    recorded: Callable[[Request], Awaitable[Answer]] | None
    real: Mapping[str, Sequence[str]]
    ledger: Ledger
    harvest: Harvest
    learner: ClassifierJudge | None = None

    async def hold(self, servers: Mapping[str, LlmEndpoint], api_key: str) -> None:
        """Ask, have every answer judged if there is a judge, and fill the harvest.

        When its minutes are over, nothing is waited for any longer, a busy server neither.

        Args:
            servers: See `servers_of`.
            api_key: For remote servers. A judge elsewhere gets it only if the LLM that writes is
                not remote, so that no server is told the key of another.

        Raises:
            WorkError: If a server fails.
        """
        writer, judge = self.settings.chosen_model, self.settings.chosen_judge
        async with AsyncExitStack() as stack:
            clients = {
                reference: await stack.enter_async_context(
                    ChatClient(endpoint, key, self.settings.llm_concurrency)
                )
                for reference, endpoint in servers.items()
                for key in [api_key if may_have_key(reference, writer) else ""]
            }
            trial = Trial(*self.learner.tried_out()) if self.learner else None
            # What is studied before the first request takes no minutes of asking.
            rounds = iter(self.rounds)
            requests = next(rounds, None)
            self.harvest.start()
            await stack.enter_async_context(_at_most(self.harvest.seconds_left))
            ask = self.ledger.recording(self.recorded or clients[writer].ask)
            if judge and (give := await self._judge(clients, trial)):
                ask = with_opinions(ask, give, self.task.names)
            # Twice the server's slots, so that one slow answer does not leave the others idle.
            is_asked = bool(servers)
            open_at_once = 2 * self.settings.llm_concurrency if is_asked else 1
            while requests is not None:
                async with aclosing(in_order(requests, ask, open_at_once)) as answers:
                    async for answer in answers:
                        self.harvest.take(answer)
                        # Between rounds the answers that are under way are paid for, and taken.
                        if self.harvest.spent or self.harvest.is_full:
                            break
                requests = next(rounds, None)
                if self.learner and requests is not None:
                    self.learner.learn(self.harvest.rows)

    async def _judge(
        self, clients: Mapping[str, ChatClient], trial: Trial | None
    ) -> Opinion | None:
        """The way to the judge's opinions; None if the judge is too often wrong to be heard."""
        settings, name = self.settings, self.settings.chosen_judge
        if self.learner and trial:
            give: Opinion = self.learner.opinion
        else:
            ask = clients[name].ask
            judge = LabelJudge(self.task, name, ask, settings.judge_votes, settings.seed)
            give = self.ledger.remembering(name, judge.opinion, self.task.names)
            trial = await tried_out(give, self.real, settings.seed)
        self.harvest.spend(trial.tokens)
        # What learnt from a handful of rows is nobody to listen to.
        is_poor = self.learner is not None and any(self.real.values())
        heard = (
            trial.right >= settings.min_judge_accuracy * trial.rows if trial.rows else not is_poor
        )
        self.ledger.write(JudgeLine(name, trial.rows, trial.right, heard))
        known = f"labels {trial.right} of {trial.rows} real rows right"
        said = known if trial.rows else "cannot be tried out, for want of real rows"
        _log.info("generate: the judge %s%s", said, "" if heard else ": it is not heard")
        return give if heard else None
