"""References of hub models: owner/name@commit, so that what they name cannot change."""

import re

PINNED_MODEL = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
"""A whole reference."""
