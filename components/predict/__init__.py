"""The predict step: scores many texts with the model in service, and goes on after an end.

| module | content |
| --- | --- |
| `component` | the KFP faces: plan, predict a share of the parts, report |
| `settings` | the user's choices |
| `run` | the three stories |
| `inputs` | the files to read, looked at before work is spent |
| `tables` | the rows of a file: Parquet, CSV, JSON lines, read and written as they are |
| `model` | the model that scores, pinned for all shards |
| `plan` | which rows of which file are which part, as all shards agree on |
| `scoring` | texts to probabilities, on all cores |
| `columns` | what is added to a row |
| `progress` | lines of progress |
| `parts` | finished parts and the record of each |
| `tally` | what a report counts, in memory that does not grow with the rows |
| `report`, `pictures` | the report page |
"""
