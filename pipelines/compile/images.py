"""Container images of the steps: images/lock.yaml maps each to its digest."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.data_files import read_mapping
from components.errors import InputError

_BY_DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def read_lock(path: Path) -> dict[str, str]:
    """Read the image of each step.

    Args:
        path: YAML file of image names without registry (`train`) and full references with digest.

    Raises:
        InputError: If it cannot be read, or an entry has no digest.
    """
    content = read_mapping(path, "image lock")
    if not content:
        raise InputError(f"image lock {path}", "names no image", "Write it with `make lock`")
    for name, reference in content.items():
        if not isinstance(reference, str) or not _BY_DIGEST.fullmatch(reference):
            rule = "has no digest, so its content may change"
            raise InputError(f"{path}, {name}: {reference!r}", rule, "Write it with `make lock`")
    return content


def locked(images: Mapping[str, str], name: str) -> str:
    """An image by digest.

    Args:
        images: Result of `read_lock`.
        name: Name without registry: `train`.

    Raises:
        InputError: If it is not in the lock.
    """
    if name not in images:
        rule = "is not in the image lock, so its tag could move"
        raise InputError(f"image {name}", rule, "Push it and write it there with `make lock`")
    return images[name]


def image_of(component: Any, images: Mapping[str, str]) -> str:
    """The image that a component runs in.

    Args:
        component: Specification of a KFP component, of image `emotion-pipeline/train` say.
        images: Result of `read_lock`; without images it is the component's own.

    Raises:
        InputError: If there is a lock and the image is not in it.
    """
    plain = str(component.implementation.container.image)
    return locked(images, plain.rpartition("/")[2]) if images else plain
