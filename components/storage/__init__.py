"""Files behind plain paths and URIs: file://, package:, gs://, s3:// and minio://.

| module | content |
| --- | --- |
| `files` | hashes, and writing a file or folder on this machine whole or not at all |
| `names` | paths and URIs split into parts, and names that lead out of their folder |
| `store` | the operations on a folder in object storage, and the errors of its providers |
| `google`, `s3`, `local` | the providers |
| `transfer` | opening a store, moving many files at once, fetching what is behind a URI |
"""

from components.storage.files import (
    content_sha256,
    may_be_pointer,
    require_content,
    require_few_files,
    require_no_pointer,
    require_no_pointer_in,
    require_replaceable,
    sha256,
    staged,
)
from components.storage.names import (
    SCHEMES,
    is_place,
    local_path,
    require_inside,
    require_no_link,
    scheme_of,
    split,
)
from components.storage.store import Store
from components.storage.transfer import (
    PIN,
    NoPackageError,
    download,
    fetch,
    open_store,
    read_text,
    require_readable,
    require_store,
    require_there,
    require_writable,
    upload,
)

__all__ = [
    "PIN",
    "SCHEMES",
    "NoPackageError",
    "Store",
    "content_sha256",
    "download",
    "fetch",
    "is_place",
    "local_path",
    "may_be_pointer",
    "open_store",
    "read_text",
    "require_content",
    "require_few_files",
    "require_inside",
    "require_no_link",
    "require_no_pointer",
    "require_no_pointer_in",
    "require_readable",
    "require_replaceable",
    "require_store",
    "require_there",
    "require_writable",
    "scheme_of",
    "sha256",
    "split",
    "staged",
    "upload",
]
