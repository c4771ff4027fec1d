"""Where files come from and go to: plain paths, file://, package:, gs:// and s3://.

| module | what it knows |
| --- | --- |
| `files` | writing on this machine so that a file or folder is whole or not there |
| `names` | paths and URIs taken apart, and names that lead out of their folder |
| `store` | what a folder in object storage can do, and which provider serves a URI |
| `google`, `s3`, `local` | the providers |
| `transfer` | many files at once, checked, with progress |
| `fetching` | making whatever a URI names readable as a local path |
"""

from components.storage.fetching import PIN, SCHEMES, NoPackage, fetch, read_text, require_there
from components.storage.files import (
    content_sha256,
    require_content,
    require_sha256,
    sha256,
    staged,
)
from components.storage.names import local_path, require_inside, require_no_link, split
from components.storage.store import Store, open_store, require_store
from components.storage.transfer import download, upload

__all__ = [
    "PIN",
    "SCHEMES",
    "NoPackage",
    "Store",
    "content_sha256",
    "download",
    "fetch",
    "local_path",
    "open_store",
    "read_text",
    "require_content",
    "require_inside",
    "require_no_link",
    "require_sha256",
    "require_store",
    "require_there",
    "sha256",
    "split",
    "staged",
    "upload",
]
