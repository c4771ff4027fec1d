"""KServe's models of its kinds, from its package without the rest of it.

The whole package brings protobuf messages of the same names as the predictor's, and a process has
room for one set of them.
"""

import sys
from importlib.util import find_spec
from types import ModuleType

_found = find_spec("kserve")
assert _found is not None
assert _found.submodule_search_locations is not None
_package = ModuleType("kserve")
_package.__path__ = list(_found.submodule_search_locations)
sys.modules.setdefault("kserve", _package)

from kserve import models  # noqa: E402

__all__ = ["models"]
