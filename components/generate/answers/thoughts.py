"""What an LLM thought before it answered, which is no part of the answer.

The marks are those of DeepSeek, Qwen, Gemma, Granite, Mistral, Cohere, Kimi, Seed, Apertus, gpt-oss
(harmony, with and without its special tokens), OpenThinker, Apriel and Open WebUI.
"""

import re

_THOUGHT = (
    r"(?:seed:)?(?:think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|analysis|reflection"
    r"|scratchpad|inner_monologue)"
)
_CHANNEL = r"<\|?channel\|?>\s*"
_BEGINS = (
    rf"(?:<\|?{_THOUGHT}\|?>|<{_THOUGHT} [^<>]*>|<details type=\W?reasoning\b[^<>]*>"
    r"|\[think(?:ing)?\]|\u25c1think\u25b7|<\|(?:start_thinking|begin_of_thought|inner_prefix)\|>"
    rf"|{_CHANNEL}(?:analysis|commentary|thought)|<unused94>\s*thought|\Aanalysis(?=[A-Z]))"
)
_ENDS = (
    rf"(?:<\|?/{_THOUGHT}\|?>|</details>|\[/think(?:ing)?\]|\u25c1/think\u25b7"
    r"|<\|(?:end_thinking|end_of_thought|inner_suffix)\|>|<unused95>"
    rf"|{_CHANNEL}final|assistantfinal|<channel\|>|\[begin final response\])"
)
_THOUGHTS = re.compile(rf"{_BEGINS}.*?(?:{_ENDS}|\Z)", re.DOTALL | re.IGNORECASE)
_LONE_END = re.compile(_ENDS, re.IGNORECASE)
_MARK = r"<\|[a-z][a-z_]{0,40}\|>"
_TOKENS_AROUND = re.compile(rf"\A\s*(?:{_MARK}\s*)+|(?:{_MARK}\s{{0,3}}){{1,4}}\Z")


def without_thoughts(answer: str) -> str:
    """Leave out what was thought, and the special tokens of a chat template around the rest.

    A thought without an end goes on to the end of the answer. Where only the end is there, since
    some templates begin the thoughts, what comes after it is the answer.
    """
    spoken = _LONE_END.split(_THOUGHTS.sub("", answer))[-1]
    return _TOKENS_AROUND.sub("", spoken)
