"""Two runs side by side: scores, confusions, settings and data.

| module | content |
| --- | --- |
| `runs` | what is known of a run, read from its folder or its evaluation |
| `differences` | the lines of the page's tables |
| `page` | the page |
"""
