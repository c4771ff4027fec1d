"""Settings of the predict step."""

from dataclasses import dataclass
from typing import ClassVar

from components import storage
from components.artifacts.registry import require_guarded
from components.artifacts.signatures import Trust
from components.errors import InputError, require_between
from components.options import shared


@dataclass(frozen=True)
class PredictSettings:
    """Settings of the predict step.

    Raises:
        InputError: If a value is out of range, the output would be read as input, or it is not said
            which model scores.
    """

    STEP: ClassVar[str] = "predict"

    input: str = ""
    """File or folder (path, gs:// or s3://) of Parquet, CSV or JSON lines; text files may be packed
    (.gz, .bz2, .xz)."""
    output: str = ""
    """New folder (path, gs:// or s3://) for the same rows with labels, or that of an earlier try,
    which is gone on with."""
    shards: int = 1
    """Pods that share the work."""
    registry: str = shared("deploy_registry", "")
    """Folder (path, file://, gs:// or s3://) that names the model in service, which scores."""
    model: str = ""
    """Model folder, path or URI, instead of the registry's."""
    public_key: str = ""
    """A public key in PEM form, or the path of a file with one: the model must be signed with its
    private key; may be empty."""
    signer_identity: str = ""
    """Who must have signed the model with Sigstore instead; may be empty."""
    signer_issuer: str = ""
    """URL of the OpenID Connect issuer that confirms the signer's identity."""
    text_column: str = "text"
    """Column of the texts; all others are passed on as they are."""
    prefix: str = ""
    """Begins the names of the added columns, where the input has one of their names."""
    max_characters: int = 10_000
    """Most characters of a text, as of the predictor; a longer one gets no label."""
    part_rows: int = 25_000
    """Rows of a part, which is what a try that is cut off may lose of each shard."""
    threads: int = 0
    """Inferences at a time, one thread each; 0 for the container's number of CPUs."""
    least_sure: int = 50
    """Rows of the lowest probability in the report."""
    show_texts: bool = True
    """Show their texts there; false shows their places alone."""
    overwrite: bool = False
    """Replace what other settings, another model or other input have left in the output."""

    def __post_init__(self) -> None:
        for name, value in (("input", self.input), ("output", self.output)):
            if not value:
                raise InputError(name, "is empty", "Name a path, or a gs:// or s3:// URI")
            storage.require_store(value)
        if _lies_in(self.output, self.input) or _lies_in(self.input, self.output):
            rule = f"is in, or around, input={self.input!r}, so that it would be read as rows"
            raise InputError(f"output={self.output!r}", rule, "Name a folder elsewhere")
        if self.registry:
            require_guarded(self.registry)
        elif not self.model:
            fix = "Name a registry, or a model folder"
            raise InputError("registry", "is empty, so no model is named", fix)
        if not self.text_column:
            raise InputError("text_column", "is empty", "Name the column of the texts")
        Trust(self.public_key, self.signer_identity, self.signer_issuer)
        require_between("shards", self.shards, 1, 1000)
        require_between("max_characters", self.max_characters, 1, 10_000_000)
        require_between("part_rows", self.part_rows, 1, 10_000_000)
        require_between("threads", self.threads, 0, 256)
        require_between("least_sure", self.least_sure, 0, 1000)

    @property
    def trust(self) -> Trust:
        """Whose signature the model must have."""
        return Trust(self.public_key, self.signer_identity, self.signer_issuer)


def _lies_in(inner: str, outer: str) -> bool:
    inside, around = storage.local_path(inner), storage.local_path(outer)
    if inside and around:
        return inside.resolve().is_relative_to(around.resolve())
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")
