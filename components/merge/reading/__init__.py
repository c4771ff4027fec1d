"""Real rows as people have them, read with certain splits and labels, or refused.

| module | content |
| --- | --- |
| `sources` | where rows come from: files, folders, object storage, the hub |
| `tables`, `separated`, `hub_sets` | the kinds of files and of sets |
| `split_files` | which file of a folder holds rows of which split |
| `split_names`, `split_words`, `card_splits` | what names and cards say |
| `leftovers`, `copies` | files that hold no rows, or those of another |
| `labels`, `label_files`, `label_lists` | what the ids of a data set mean |
"""
