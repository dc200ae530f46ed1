"""The frozen contract, docs/api: openapi.json (without the vocabulary, which grows) and types.ts; `make types` writes them.

Within a version, nothing that a caller relies on goes away: `broken` says what would (docs/api.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compliance.law.knowledge import load
from compliance.service import contract, typescript
from compliance.service.api import operations


def files() -> dict[str, str]:
    """Return the files by name. Facts stay open in them."""
    vocabulary = load().vocabulary
    table = [one for one in operations(vocabulary) if one.path != "/v1/purge-date"]
    fixed = operations(vocabulary)[-1]
    known = tuple(param for param in fixed.params if param.name in ("as_of", "assume"))
    table.append(replace(fixed, params=known))
    document = contract.openapi(table, None)
    document["info"]["version"] = "1"
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return {"openapi.json": text, "types.ts": typescript.types(document["components"]["schemas"])}


def write(folder: Path) -> None:
    """Write the files; raises SystemExit where a change would break callers."""
    old = folder / "openapi.json"
    made = files()
    if old.is_file() and (wrong := list(broken(json.loads(old.read_text()), json.loads(made["openapi.json"])))):
        raise SystemExit("This change breaks callers of version 1:\n" + "\n".join(wrong))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (folder / name).write_text(text)


def broken(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield what callers of the old contract would miss in the new one."""
    for path, by_method in old["paths"].items():
        for method, operation in by_method.items():
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{method.upper()} {path} is gone"
                continue
            had = {param["name"]: param for param in operation.get("parameters", ())}
            has = {param["name"]: param for param in now.get("parameters", ())}
            yield from (f"{method.upper()} {path}: parameter {name} is gone" for name in had.keys() - has.keys())
            for name in has.keys() - had.keys():
                if has[name]["required"]:
                    yield f"{method.upper()} {path}: parameter {name} is new and required"
            gone = {s for s in operation["responses"] if s.startswith("2")} - now["responses"].keys()
            yield from (f"{method.upper()} {path}: answer {status} is gone" for status in sorted(gone))
    for name, schema in old["components"]["schemas"].items():
        yield from _changed(name, schema, new["components"]["schemas"].get(name))


def _changed(name: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
        return
    if old.get("additionalProperties") is False:  # a request: what was optional must not become required
        fresh = set(new.get("required", ())) - set(old.get("required", ()))
        yield from (f"{name}.{field} is now required" for field in sorted(fresh))
    else:
        lost = set(old.get("required", ())) - set(new.get("required", ()))
        yield from (f"{name}.{field} is no longer always there" for field in sorted(lost))
    for field, was in old.get("properties", {}).items():
        now = new.get("properties", {}).get(field)
        if now is None:
            yield f"{name}.{field} is gone"
        elif was.get("type") != now.get("type") or was.get("$ref") != now.get("$ref"):
            yield f"{name}.{field} is of another type"
        elif not set(was.get("enum", ())) <= set(now.get("enum", was.get("enum", ()))):
            yield f"{name}.{field} has lost a value"


if __name__ == "__main__":
    write(Path("docs/api"))
