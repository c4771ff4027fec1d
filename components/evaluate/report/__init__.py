"""The evaluation as people read it.

| module | content |
| --- | --- |
| `page` | the report page, from `*.html.j2` |
| `pictures` | its pictures |
| `card` | the model card, from `card.md.j2` |
"""
