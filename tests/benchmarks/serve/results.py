"""What has been measured, kept in a file so that a stopped run goes on."""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components import storage


class Results:
    """Measurements of one contestant by name.

    Args:
        path: JSON file that holds them.
        conditions: What they were measured under; results of other conditions are forgotten.
    """

    def __init__(self, path: Path, conditions: Mapping[str, Any]) -> None:
        self._path = path
        self._conditions = dict(conditions)
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        is_same = stored.get("conditions") == self._conditions
        self.found: dict[str, Any] = stored["found"] if is_same else {}

    def keep(self, name: str, measure: Callable[[], Any]) -> Any:
        """A result that is there already, or the measured one, which is written at once."""
        if name not in self.found:
            logging.info("%s: %s", self._path.stem, name)
            self.found[name] = measure()
            content = {"conditions": self._conditions, "found": self.found}
            with storage.staged(self._path) as staged:
                staged.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return self.found[name]
