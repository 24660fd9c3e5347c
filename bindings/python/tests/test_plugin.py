"""The fixtures that the package gives to pytest, in a session of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "python"

TEST = '''
import whimbrel.sync

def test_it_greets(whimbrel_sandbox, whimbrel_engine):
    phone, friend = whimbrel_sandbox.phone(), whimbrel_sandbox.phone(name="Anna")
    with whimbrel.sync.Client(":memory:", engine=whimbrel_engine, auto_start=False) as client:
        phone.link(client)
        client.send_text(chat=friend.jid, text="hello")
        assert friend.message("hello")["from_me"] is False
'''


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_greeting.py").write_text(TEST)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "whimbrel.pytest_plugin", str(folder)],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(PACKAGE), **environment),
        capture_output=True,
        text=True,
    )


def test_a_test_gets_a_sandbox_and_an_engine(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, WHIMBREL_SANDBOX="", PATH="/nonexistent")
    assert done.returncode == 1
    assert "there is no whimbrel-sandbox" in done.stdout
