"""The rows of a file, read a few at a time, and written again with more columns.

| module | content |
| --- | --- |
| `table` | what every kind of file can do; windows of rows; packed files |
| `separated` | CSV and its kin |
| `json_lines` | an object per line |
| `parquet_file` | Parquet |
| `opening` | the table of a file by the end of its name |
"""
