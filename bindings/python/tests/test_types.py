"""What a type checker says about programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import whimbrel

TESTS = Path(__file__).resolve().parent


def test_wrong_calls_are_refused() -> None:
    source = TESTS / "must_not_type_check.py"
    lines = source.read_text().splitlines()
    wanted = {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(source)],
        capture_output=True,
        text=True,
        env=dict(os.environ, MYPYPATH=str(TESTS.parent / "python")),
    )
    found = {int(number) for number in re.findall(r"\.py:(\d+): error", checked.stdout)}
    assert found == wanted, checked.stdout


def test_what_opens_a_file_is_not_printed() -> None:
    file = whimbrel.MediaFile(reference="wmr1.secret", mimetype="image/jpeg")
    assert "wmr1" not in repr(file)
    assert "image/jpeg" in repr(file)
