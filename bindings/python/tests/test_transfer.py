"""Moving links: in from another client's files, aside into a backup, out into a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import whimbrel

VECTORS = Path(__file__).resolve().parents[3] / "tests/vectors"
ACCOUNT = "240000000000001@lid"
# What a JSON request has to escape.
PASSPHRASE = 'eight "wading" \\ birds 🐦\n'


@pytest.fixture
def offline() -> Iterator[whimbrel.Engine]:
    """An engine whose service cannot be reached."""
    with whimbrel.Engine(endpoint=whimbrel.Endpoint(url="ws://127.0.0.1:1/ws/chat")) as engine:
        yield engine


@pytest.fixture
def auth_folder(tmp_path: Path) -> Path:
    """A folder that Baileys wrote."""
    folder = tmp_path / "auth"
    folder.mkdir()
    vectors = json.loads((VECTORS / "import-baileys.json").read_text())
    for name, text in vectors["files"].items():
        (folder / name).write_text(text)
    return folder


async def account(engine: whimbrel.Engine, store: Path) -> str:
    async with whimbrel.Client(store, engine=engine, auto_start=False) as client:
        account = await client.get_account()
        assert account.device == 7
        return account.identity.id


async def test_a_link_is_taken_over_backed_up_and_moved(
    offline: whimbrel.Engine, auth_folder: Path, tmp_path: Path
) -> None:
    store, backup, other = tmp_path / "store.db", tmp_path / "backup.db", tmp_path / "other.db"
    file = tmp_path / "link.whimbrel"
    report = await offline.import_baileys(auth_folder, store)
    assert (report.identity.id, report.device) == (ACCOUNT, 7)
    # The signatures in the vectors are filler.
    assert [warning for warning in report.warnings if "does not verify" in warning]
    taken = {one.what: one.count for one in report.taken}
    assert taken["sessions"] > 0
    assert all(one.count > 0 and one.why for one in report.left_out)

    async with whimbrel.Client(store, engine=offline, auto_start=False) as client:
        await client.backup(path=str(backup))
        with pytest.raises(whimbrel.FileExistsError):
            await client.backup(path=str(backup))
        with pytest.raises(whimbrel.TimedOutError) as late:
            await client.export(path=str(file), passphrase=PASSPHRASE, timeout=1e-9)
        assert late.value.outcome is whimbrel.Outcome.NOT_SENT
        # It is a move: the client closes, and that is the last event.
        await client.export(path=str(file), passphrase=PASSPHRASE)
        events = [event async for event in client.events()]
        assert isinstance(events[-1], whimbrel.Closed)
        for use in (client.connect, client.get_account):
            with pytest.raises(whimbrel.ClosedError):
                await use()
    with pytest.raises(whimbrel.StoreMovedError):
        await account(offline, store)
    assert await account(offline, backup) == ACCOUNT

    with pytest.raises(whimbrel.WrongPassphraseError) as wrong:
        await offline.import_export(file, "another", other)
    assert wrong.value.operation == "import" and "another" not in str(wrong.value)
    assert not other.exists()
    report = await offline.import_export(file, PASSPHRASE, other)
    assert (report.identity.id, report.taken, report.left_out) == (ACCOUNT, (), ())
    assert await account(offline, other) == ACCOUNT


async def test_what_cannot_be_imported_is_refused(
    offline: whimbrel.Engine, auth_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    with pytest.raises(whimbrel.ImportRefusedError):
        await offline.import_baileys(tmp_path / "missing", store)
    with pytest.raises(whimbrel.ImportRefusedError):
        await offline.import_whatsmeow(auth_folder / "creds.json", store, account="15550001111")
    with pytest.raises(whimbrel.ImportRefusedError):
        await offline.import_export(auth_folder / "creds.json", PASSPHRASE, store)
    damaged = tmp_path / "damaged.whimbrel"
    damaged.write_bytes((VECTORS / "export-1.whimbrel").read_bytes()[:-1])
    with pytest.raises(whimbrel.ExportDamagedError):
        await offline.import_export(damaged, "eight wading birds", store)
    assert not store.exists()
    await offline.import_baileys(auth_folder, store)
    with pytest.raises(whimbrel.FileExistsError):
        await offline.import_baileys(auth_folder, store)


async def test_a_closed_engine_imports_nothing(auth_folder: Path, tmp_path: Path) -> None:
    engine = whimbrel.Engine()
    await engine.aclose()
    with pytest.raises(whimbrel.ClosedError):
        await engine.import_baileys(auth_folder, tmp_path / "store.db")
