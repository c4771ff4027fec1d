"""Texts out of an answer of an LLM, in whatever form it comes.

| module | content |
| --- | --- |
| `parse` | candidates: those of the last JSON, or of the first other form that gives any |
| `json_blocks`, `bare_quotes` | JSON in a text, valid or nearly so |
| `markup`, `tables`, `records`, `listed`, `bare_lines` | the other forms |
| `thoughts`, `frame`, `asides` | what in an answer is no text: thinking, what stands around, talk |
| `labelled` | labels that stand above texts, or beside them |
| `field_names` | what texts, labels and remarks are called |
"""
