"""References of what is on the hub; one with a commit always names the same content."""

import re

PINNED_MODEL = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
"""A model with its commit: owner/name@commit."""

HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
"""A hub id without a commit."""
