"""The front for programs without an event loop."""

from __future__ import annotations

import inspect
import json
import threading
import time
from pathlib import Path

import pytest
from sandbox import DEADLINE
from test_lifecycle import interrupt, start

import whimbrel
import whimbrel.sync
from whimbrel._operations import Operations
from whimbrel.testing import RunningSandbox


@pytest.fixture
def service(sandbox: object) -> RunningSandbox:
    return RunningSandbox(getattr(sandbox, "ready_line"))


def next_message(client: whimbrel.sync.Client) -> whimbrel.Message:
    while True:
        event = client.next_event(timeout=DEADLINE)
        assert event is not None
        if isinstance(event, whimbrel.Message):
            return event


def test_every_operation_has_a_method_that_waits() -> None:
    for name, method in inspect.getmembers(Operations, inspect.isfunction):
        if name == "_request":
            continue
        twin = getattr(whimbrel.sync.Client, name)
        assert not inspect.iscoroutinefunction(twin)
        assert inspect.signature(twin) == inspect.signature(method)
        assert twin.__doc__ == method.__doc__


def test_messages_and_files_both_ways(
    service: RunningSandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone, friend = service.phone(), service.phone()
    path = tmp_path / "a.db"
    with whimbrel.sync.Client(path, engine=engine, auto_start=False) as client:
        phone.link(client)
        sent = client.send_text(chat=friend.jid, text="hello", timeout=DEADLINE)
        assert friend.message("hello")["id"] == sent.message_id
        friend.send(phone.jid, "hello too")
        message = next_message(client)
        assert message.text == "hello too" and message.sequence is not None
        client.mark_read(chat=message.chat, message_ids=[message.message_id])

        file = client.upload(memoryview(b"some bytes"), whimbrel.MediaKind.DOCUMENT)
        assert client.download(file.reference).data == b"some bytes"
        friend.send(phone.jid, "not taken")
        friend.send(phone.jid, "nor this")
        # Its event must not be taken, and nothing else tells when it is there.
        end = time.monotonic() + DEADLINE
        while client.find_messages(text="nor this").items == []:
            assert time.monotonic() < end
            time.sleep(0.01)
        # The second one was not asked for: only the first is done with.
        assert next_message(client).text == "not taken"

    with whimbrel.sync.Client(path, engine=engine) as client:
        assert next_message(client).text == "nor this"
        client.close()
        assert [event.kind for event in client.events()][-1:] == ["closed"]
        assert client.next_event() is None
        with pytest.raises(whimbrel.ClosedError):
            client.get_connection()


def test_errors_and_deadlines(engine: whimbrel.Engine, tmp_path: Path) -> None:
    client = whimbrel.sync.Client(tmp_path / "a.db", engine=engine, auto_start=False)
    with pytest.raises(whimbrel.WrongStateError):
        client.get_connection()
    with client:
        with pytest.raises(whimbrel.WrongStateError):
            client.open()
        with pytest.raises(whimbrel.NotLinkedError):
            client.send_text(chat="15550001234", text="hello")
        with pytest.raises(whimbrel.IdentityChangedError):
            client.debug_fail(code=401)
        while True:
            try:
                assert client.next_event(timeout=0.1) is not None
            except TimeoutError as error:
                assert not isinstance(error, whimbrel.WhimbrelError)
                break
    client.close()  # Once more does nothing.


def test_many_threads_share_a_client(engine: whimbrel.Engine) -> None:
    with whimbrel.sync.Client(":memory:", engine=engine, auto_start=False) as client:
        wrong: list[object] = []

        def ask(number: int) -> None:
            for turn in range(50):
                text = f"{number} {turn}"
                answer = client.debug_echo(
                    text=text,
                    number=number,
                    large="1",
                    flag=True,
                    nested=[],
                    choice=whimbrel.DebugChoice.FIRST,
                )
                if answer.text != text:
                    wrong.append(answer)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

        first = threading.Thread(target=lambda: list(client.events()))
        first.start()
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            try:
                client.next_event(timeout=0)
            except TimeoutError:
                continue
            except whimbrel.WrongStateError:
                break
        client.close()
        first.join()


def test_handlers_are_called_until_the_client_closes(engine: whimbrel.Engine) -> None:
    client = whimbrel.sync.Client(":memory:", engine=engine, auto_start=True)
    seen: list[str] = []

    @client.on(whimbrel.Qr)
    def scan(event: whimbrel.Qr) -> None:
        seen.append(event.text)
        client.close()

    client.run()
    assert len(seen) == 1


@pytest.mark.ending
def test_ctrl_c_ends_a_wait() -> None:
    program = """
    import whimbrel.sync
    client = whimbrel.sync.Client(":memory:", auto_start=False)
    client.open()
    try:
        print("ready", flush=True)
        list(client.events())
    except KeyboardInterrupt:
        print("interrupted")
    client.close()
    """
    assert interrupt(start(program)) == "interrupted\n"


@pytest.mark.ending
def test_leaving_with_an_open_client_and_a_thread_that_waits() -> None:
    program = """
    import whimbrel.sync
    client = whimbrel.sync.Client(":memory:", auto_start=False)
    client.open()
    threading.Thread(target=lambda: list(client.events()), daemon=True).start()
    client.get_connection()
    print("leaving")
    """
    from test_lifecycle import run

    assert run(program) == "leaving\n"


def test_what_a_fork_leaves() -> None:
    program = """
    import whimbrel.sync
    client = whimbrel.sync.Client(":memory:", auto_start=False)
    client.open()
    child = os.fork()
    if child == 0:
        try:
            client.get_connection()
        except whimbrel.ForkedError as error:
            print(error.code.name, flush=True)
        with whimbrel.sync.Client(":memory:", auto_start=False) as other:
            other.get_connection()
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    client.get_connection()
    client.close()
    """
    from test_lifecycle import run

    assert run(program) == "FORKED\n"


def test_json_is_what_it_is() -> None:
    # The ready line is the one contract with the program: the plugin and the tests read it alike.
    with pytest.raises(json.JSONDecodeError):
        RunningSandbox("")
