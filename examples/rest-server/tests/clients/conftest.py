"""A server with simulated phones, for clients that were not written for it."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = "root-key-of-the-clients"


@dataclass
class Server:
    url: str
    control: str

    def phone(self, number: str, name: str) -> None:
        self._control("/phones", {"phone": number, "name": name})

    def scan(self, number: str, qr: str) -> None:
        self._control(f"/phones/{number}/scan", {"qr": qr})

    def send(self, number: str, to: str, text: str) -> None:
        self._control(f"/phones/{number}/send", {"to": to, "text": text})

    def messages(self, number: str, after: int = 0) -> list[dict]:
        """What a phone got; waits until there is something after a place."""
        with urllib.request.urlopen(f"{self.control}/phones/{number}/messages?after={after}&wait_ms=10000") as answer:
            return json.load(answer)["items"]

    def _control(self, path: str, body: dict) -> None:
        request = urllib.request.Request(
            self.control + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    arguments = ["--sandbox", "--listen", "127.0.0.1:0", "--root-key", ROOT, "--evolution-profile", "v2"]
    process = subprocess.Popen(
        [os.environ["WHIMBREL_REST"], *arguments, "--requests-per-minute", "100000"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WHIMBREL_LOG": "error", "WHIMBREL_LOG_FORMAT": "text"},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().removeprefix("listening at ").strip()
        control = process.stdout.readline().removeprefix("sandbox control at ").strip()
        yield Server(url, control)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
