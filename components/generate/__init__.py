"""The generate step: an LLM writes labelled sentences.

| module | content |
| --- | --- |
| `run` | the step as one function |
| `style`, `prompts` | what the LLM is asked, from a style file of `styles/` |
| `engines`, `llama_server`, `llm` | a server for the LLM, and the client that asks it |
| `asking`, `dialect` | how a server is asked, learnt from what it refuses |
| `refusals`, `replies` | what a server says, read as it is meant |
| `answers` | candidates out of an answer, in whatever form it comes |
| `curate`, `text_checks` | the rules for a candidate |
| `form`, `examples` | what breaks off or is no text, learnt from shipped examples |
| `judge`, `classifier_judge` | the opinion of an LLM, or of a classifier, on a candidate's label |
| `interview` | the conversation with the LLM that writes and the one that judges |
| `rounds`, `study` | what is not known yet, and the next round of requests that asks for it |
| `selection` | the choice from a surplus of accepted sentences |
| `harvest` | quotas, budgets and the accepted sentences |
| `ledger` | the record of answers and verdicts that a run resumes from |
| `settings`, `component`, `__main__` | the user's choices, the KFP face, the shell |
"""
