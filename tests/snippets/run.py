"""Runs the Python and JavaScript of documents against a sandbox, as a reader would.

    python run.py [--node FOLDER] DOCUMENT...

Every fenced block is run: those for Python with the interpreter that runs this, those for Node.js in
FOLDER, which has the package installed. A block may be a program, or a piece of one that has a
``client`` at hand. Its stores are linked, 15550001234 is a friend who writes "ping" and sends a
picture, and the files it names are there. It has worked when it answered, printed something or ended;
Ctrl-C ends it then. Whatever it complains of makes this fail.

Blocks marked ``no-run`` need what a sandbox does not have, and are only compiled.

What is not done to a block: nothing is changed in it but where the service is. Needs nothing but the
package, and the program whimbrel-sandbox.
"""

from __future__ import annotations

import argparse
import ast
import base64
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import whimbrel
import whimbrel.sync
from whimbrel.testing import DEADLINE, Phone, Sandbox

FRIEND = "15550001234"
PICTURE = base64.b64decode("R0lGODlhAQACAAAAACwAAAAAAQACAAACAkQBADs=")

PYTHON = """
import whimbrel.engine
with open("ready.json") as _ready:
    whimbrel.engine._default = whimbrel.Engine(endpoint=whimbrel.Endpoint.sandbox(_ready.read()))
"""

NODE = """
import { Engine as Engine__, sandboxEndpoint as endpoint__ } from 'whimbrel'
import { readFileSync as read__ } from 'node:fs'
const engine__ = new Engine__({ endpoint: endpoint__(read__('ready.json', 'utf8')) })
"""


@dataclass
class Block:
    """A fenced block of a document."""

    document: Path
    line: int
    language: str
    text: str
    runs: bool = True

    def __str__(self) -> str:
        return f"{self.document}:{self.line} ({self.language})"


def blocks(document: Path) -> Iterator[Block]:
    """The blocks of the languages that are run."""
    start, language, runs, lines = 0, "", True, list[str]()
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if not start and (fence := re.match(r"\s*```(\w+)( no-run)?\s*$", line)):
            start, language, lines = number, fence.group(1), []
            runs = fence.group(2) is None
        elif start and line.strip() == "```":
            if language in ("python", "js"):
                yield Block(document, start, language, textwrap.dedent("\n".join(lines)), runs)
            start = 0
        elif start:
            lines.append(line)


def python_program(text: str) -> str:
    """A block as a program: pieces get a client, and what comes from a future gets a past."""
    future = "from __future__ import annotations\n"
    if re.search(r"^(async )?def main|asyncio\.run|sync\.Client|^import", text, re.MULTILINE):
        return future + PYTHON + text.replace(future, "")
    piece = textwrap.indent(text, " " * 8)
    return f"{future}import asyncio\n{PYTHON}\nasync def main():\n    async with whimbrel.Client('piece.db') as client:\n{piece}\n\nasyncio.run(main())\n"


def node_program(text: str) -> str:
    if "new Engine(" in text:
        return text
    if "Client.open(" not in text:
        piece = "import { Client, drawQr } from 'whimbrel'\nconst client = await Client.open('piece.db')\nclient.ref()\n"
        text = piece + text
    there = re.compile(r"Client\.open\('([^']+)'(?:, \{)?")

    def with_engine(found: re.Match[str]) -> str:
        more = ", " if found.group(0).endswith("{") else " }"
        return f"Client.open('{found.group(1)}', {{ engine: engine__{more}"

    return NODE + there.sub(with_engine, text)


class Stage:
    """The sandbox, the friend, and what blocks find in their folder."""

    def __init__(self, sandbox: Sandbox, node: Path | None) -> None:
        self.sandbox = sandbox
        self.node = node
        self.friend = sandbox.phone(phone=FRIEND)
        self.engine = whimbrel.Engine(endpoint=sandbox.endpoint())

    def linked(self, store: Path) -> Phone:
        phone = self.sandbox.phone()
        with whimbrel.sync.Client(store, engine=self.engine, auto_start=False) as client:
            phone.link(client)
        return phone

    def furnish(self, folder: Path, program: str) -> list[Phone]:
        """Puts there what a program names: stores that are linked, and files."""
        (folder / "ready.json").write_text(self.sandbox.ready_line)
        stores = set(re.findall(r"""['"]([\w-]+\.db)['"]""", program))
        for name in re.findall(r"""['"]([\w-]+\.(?:jpg|jpeg|png|gif))['"]""", program):
            (folder / name).write_bytes(PICTURE)
        return [self.linked(folder / store) for store in sorted(stores)]

    def seen(self) -> int:
        items: list[object] = self.friend.ask("GET", "/messages?after=0&wait_ms=1")["items"]
        return len(items)

    def compile(self, block: Block) -> None:
        if block.language == "python":
            compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            return
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "block.mjs").write_text(block.text)
            subprocess.run(["node", "--check", "block.mjs"], cwd=place, check=True)

    def run(self, block: Block) -> None:
        if not block.runs:
            return self.compile(block)
        if block.language == "python" and "def test_" in block.text:
            return self.call_tests(block)
        with tempfile.TemporaryDirectory(dir=self.node if block.language == "js" else None) as place:
            folder = Path(place)
            if block.language == "python":
                program, name = python_program(block.text), "block.py"
                command = [sys.executable, "-X", "dev", "-W", "ignore::ResourceWarning", name]
            else:
                program, name = node_program(block.text), "block.mjs"
                command = ["node", name]
            (folder / name).write_text(program)
            phones = self.furnish(folder, program)
            for phone in phones:
                self.friend.send(phone.jid, "ping")
                self.friend.send_file(phone.jid, "image", "image/gif", PICTURE)
            self.watch(block, command, folder)

    def watch(self, block: Block, command: list[str], folder: Path) -> None:
        before, printed = self.seen(), folder / "printed"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                env=dict(os.environ, PYTHONUNBUFFERED="1"),
            )
            end = time.monotonic() + DEADLINE
            while process.poll() is None and self.seen() == before and not printed.stat().st_size:
                if time.monotonic() > end:
                    process.kill()
                    raise SystemExit(f"{block}: it did nothing\n{process.communicate()[1]}")
                time.sleep(0.05)
            ended = process.poll() is not None
            if not ended:
                process.send_signal(signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SystemExit(f"{block}: it did not end") from None
        interrupted = (-signal.SIGINT, 130)
        complaints = [] if not ended and "KeyboardInterrupt" in errors else errors.strip().splitlines()
        if complaints or process.returncode not in (0, 1, *interrupted):
            raise SystemExit(f"{block}: it ended with {process.returncode}\n{errors}")
        if process.returncode == 1 and (ended or "KeyboardInterrupt" not in errors):
            raise SystemExit(f"{block}: it failed\n{errors}")

    def call_tests(self, block: Block) -> None:
        """What pytest would do, which an empty environment does not have."""
        names: dict[str, object] = {}
        exec(compile(block.text, str(block), "exec"), names)
        fixtures = {"whimbrel_sandbox": self.sandbox, "whimbrel_engine": self.engine}
        for name, test in list(names.items()):
            if name.startswith("test_") and callable(test):
                test(**{given: fixtures[given] for given in inspect.signature(test).parameters})


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the blocks of documents.")
    parser.add_argument("--node", type=Path, help="folder in which the Node.js package is installed")
    parser.add_argument("documents", nargs="+", type=Path)
    given = parser.parse_args()
    with Sandbox() as sandbox:
        stage = Stage(sandbox, given.node)
        count = {"python": 0, "js": 0}
        for document in given.documents:
            for block in blocks(document):
                if block.language == "js" and given.node is None:
                    continue
                print(block, flush=True)
                stage.run(block)
                count[block.language] += 1
        stage.engine.close()
        violations = sandbox.violations()
    if violations:
        raise SystemExit(f"the protocol's rules were broken: {json.dumps(violations)}")
    print(f"{count['python']} of Python and {count['js']} of Node.js have run")


if __name__ == "__main__":
    main()
