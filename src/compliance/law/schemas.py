"""The JSON Schemas that editors complete from; generated, never typed."""

from __future__ import annotations

import json
from pathlib import Path

from compliance.law import jurisdictions, statutes, vocabulary
from compliance.law.vocabulary import Vocabulary

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas(words: Vocabulary) -> dict[str, str]:
    """Return the text of each schema file by name."""
    trees = {
        "schema.json": statutes.json_schema(words),
        "facts.schema.json": {"$schema": _DRAFT, "title": "vocabulary of facts", **vocabulary.FILE.schema()},
        "jurisdictions.schema.json": {"$schema": _DRAFT, "title": "places", **jurisdictions.shape(words).schema()},
    }
    return {name: json.dumps(tree, indent=1, ensure_ascii=False) + "\n" for name, tree in trees.items()}


def write(folder: Path, words: Vocabulary) -> list[str]:
    """Write the schemas that differ from what is there; return their names."""
    changed = []
    for name, text in schemas(words).items():
        path = folder / name
        if not path.is_file() or path.read_text() != text:
            aside = path.with_suffix(".new")
            aside.write_text(text)
            aside.replace(path)
            changed.append(name)
    return changed
