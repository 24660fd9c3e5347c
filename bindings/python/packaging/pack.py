"""Packs a staged package into a wheel: sources, metadata from pyproject.toml, and the record.

The same input gives the same bytes: entries are sorted and carry no time. `cargo xtask dist` runs it
with any Python from 3.10, without packages; there only pyproject.toml's plain strings are needed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import zipfile
from pathlib import Path

GENERATOR = "whimbrel xtask dist"


def strings(project: str, key: str) -> list[str]:
    """The strings of a key of pyproject.toml, whether it is one or a list."""
    found = re.search(rf'^{re.escape(key)} = (\[.*?\]|".*?")$', project, re.MULTILINE | re.DOTALL)
    return re.findall(r'"(.*?)"', found.group(1)) if found else []


def metadata(project: str, version: str, readme: str) -> str:
    (name,) = strings(project, "name")
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    lines += [f"Summary: {summary}" for summary in strings(project, "description")]
    lines += [f"License-Expression: {licence}" for licence in strings(project, "license")]
    lines += [f"License-File: {name}" for name in ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY-NOTICES")]
    lines += [f"Classifier: {classifier}" for classifier in strings(project, "classifiers")]
    lines += [f"Requires-Python: {bound}" for bound in strings(project, "requires-python")]
    lines += ["Description-Content-Type: text/markdown", "", readme]
    return "\n".join(lines)


def entry_points(project: str) -> str:
    groups = re.findall(r"^\[project\.entry-points\.(\w+)\]\n((?:\w+ = \".*\"\n)+)", project, re.MULTILINE)
    return "\n".join(f"[{group}]\n{members}".replace('"', "") for group, members in groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--project", "--version", "--tag", "--stage", "--out"):
        parser.add_argument(option, required=True)
    given = parser.parse_args()
    project = Path(given.project).read_text()
    stage, out = Path(given.stage), Path(given.out)
    info = f"whimbrel-{given.version}.dist-info"

    described = metadata(project, given.version, Path("README.md").read_text())
    (stage / "METADATA").write_text(described)
    wheel = f"Wheel-Version: 1.0\nGenerator: {GENERATOR}\nRoot-Is-Purelib: false\nTag: {given.tag}\n"
    entries: dict[str, bytes] = {
        f"{info}/METADATA": described.encode(),
        f"{info}/WHEEL": wheel.encode(),
        f"{info}/entry_points.txt": entry_points(project).encode(),
    }
    for folder, place in (("whimbrel", "whimbrel"), ("licenses", f"{info}/licenses")):
        for file in sorted((stage / folder).rglob("*")):
            if file.is_file():
                entries[f"{place}/{file.relative_to(stage / folder).as_posix()}"] = file.read_bytes()

    record = []
    for name, data in sorted(entries.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}")
    record.append(f"{info}/RECORD,,")
    entries[f"{info}/RECORD"] = ("\n".join(record) + "\n").encode()

    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(entries.items()):
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            archive.writestr(entry, data)


if __name__ == "__main__":
    main()
