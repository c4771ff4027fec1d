"""Whatever file a user gives as data set: rows, or a sentence that says what is wrong."""

import io
import json
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import InputError
from components.merge.rows import real_train
from components.merge.settings import MergeSettings
from components.preflight.data import require_rows
from tests.fuzz.limits import bounded

LABELS = st.sampled_from(["joy", "anger", "fear", "love", "sadness", "surprise", " Joy", "0", "6"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
NESTED = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(st.text("ab"), VALUES, max_size=2)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.text(max_size=30) | NESTED, "label": LABELS | NESTED},
        optional={"id": NESTED, "Text": VALUES, "": VALUES},
    ),
    max_size=8,
)
KINDS = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx"]
PACKED = ["", "", "", ".gz", ".bz2", ".xz", ".zip", ".tar", ".tar.gz", ".GZ"]
BYTES = st.sampled_from(
    [
        b"\0",
        b"\xff",
        b'"',
        b"\n",
        b"\r",
        b",",
        b"\t",
        b"[" * 3000,
        b"{",
        b"9" * 5000,
        b"\xef\xbb\xbf",
    ]
) | st.binary(max_size=6)
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), BYTES), max_size=3)


def written(rows, kind):
    """A file of some rows, as other programs write it."""
    texts = pd.DataFrame(rows).map(str)
    if kind in {"csv", "tsv", "txt"}:
        return texts.to_csv(index=False, sep="," if kind == "csv" else "\t").encode(
            errors="replace"
        )
    if kind == "parquet":
        texts = texts.map(lambda text: text.encode(errors="replace").decode())
        content = io.BytesIO()
        texts.to_parquet(content, index=False)
        return content.getvalue()
    if kind == "json":
        return json.dumps(rows).encode()
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def changed(content, changes):
    """The content with some bytes other than they should be."""
    content = bytearray(content)
    for share, removed, added in changes:
        place = int(share * len(content))
        content[place : place + removed] = added
    return bytes(content)


def packed(content, names, end):
    """What a packing program makes of the file, once for each name."""
    import bz2
    import gzip
    import lzma

    for compress, of in ((gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")):
        if end.lower() == of:
            return compress(content)
    file = io.BytesIO()
    if end == ".zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, content)
    elif end:
        with tarfile.open(fileobj=file, mode="w:gz" if end == ".tar.gz" else "w") as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return file.getvalue() if end else content


@settings(max_examples=settings.default.max_examples // 4)
@given(
    rows=ROWS,
    kind=st.sampled_from(KINDS),
    end=st.sampled_from(PACKED),
    stems=st.lists(st.sampled_from(["train", "test", "a/dev", "../x", "/x", "rows"]), max_size=3),
    inner=CHANGES,
    outer=CHANGES,
)
def test_any_file_is_read_or_refused(rows, kind, end, stems, inner, outer):
    names = [f"{stem}.{kind}" for stem in stems]
    content = changed(packed(changed(written(rows, kind), inner), names, end), outer)
    with TemporaryDirectory() as folder, bounded():
        path = Path(folder) / (
            f"rows{end}" if end in {".zip", ".tar", ".tar.gz"} else f"rows.{kind}{end}"
        )
        path.write_bytes(content)
        chosen = MergeSettings(dataset=str(path))
        for read in (require_rows, real_train):
            try:
                read(chosen)
            except InputError as refused:
                assert refused.thing
                assert "\n" not in refused.fix
