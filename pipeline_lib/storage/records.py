"""Records as the store writes them, and the seal by which a record of an artifact shows that not a byte of it has changed."""

import json
from collections.abc import Mapping
from typing import Any

from pipeline_lib.storage.fingerprint import digest


def render(value: Mapping[str, Any]) -> str:
    """The one way in which a record is written."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def seal(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with their digest."""
    return {**facts, "seal": digest(render(facts))}


def unseal(content: bytes) -> dict[str, Any]:
    """What ``seal`` was given, with the seal. Raises ``ValueError`` unless the bytes are the ones that were written."""
    told = json.loads(content)
    if not isinstance(told, dict) or render(seal({key: value for key, value in told.items() if key != "seal"})).encode() != content:
        raise ValueError("a record was changed after it was written")
    return told
