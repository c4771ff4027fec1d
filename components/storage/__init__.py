"""Files behind plain paths and URIs: file://, package:, gs:// and s3://.

| module | content |
| --- | --- |
| `files` | hashes, and writing a file or folder on this machine whole or not at all |
| `names` | paths and URIs split into parts, and names that lead out of their folder |
| `store` | the operations on a folder in object storage, and which provider serves a URI |
| `google`, `s3`, `local` | the providers |
| `failures` | their errors: InputError if unusable, WorkError if away or a file arrives damaged |
| `transfer` | moving many files at once, checked, with progress |
| `fetching` | making the file or folder behind a URI readable as a local path |
"""

from components.storage.fetching import (
    PIN,
    SCHEMES,
    NoPackageError,
    fetch,
    read_text,
    require_there,
)
from components.storage.files import (
    content_sha256,
    require_content,
    sha256,
    staged,
)
from components.storage.names import local_path, require_inside, require_no_link, split
from components.storage.store import Store, open_store, require_store
from components.storage.transfer import download, upload

__all__ = [
    "PIN",
    "SCHEMES",
    "NoPackageError",
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
    "require_store",
    "require_there",
    "sha256",
    "split",
    "staged",
    "upload",
]
