import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from card.support import HOLDER_A, HOLDER_B, NOW, make_card
from madoguchi.card import (
    CertificateAuthority,
    KeyKind,
    MemoryReader,
    Reader,
    ReaderServer,
    Shelf,
    SocketReader,
    VirtualCard,
    practice_keys,
)


@pytest.fixture(scope="session", autouse=True)
def keys() -> None:
    """Made once, so that no single test pays for them."""
    for holder in (HOLDER_A, HOLDER_B):
        for kind in KeyKind:
            practice_keys(holder.name, kind)


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    return CertificateAuthority.create(NOW)


@pytest.fixture(params=list(KeyKind))
def kind(request: pytest.FixtureRequest) -> KeyKind:
    found: KeyKind = request.param
    return found


@pytest.fixture
def card(authority: CertificateAuthority) -> VirtualCard:
    return make_card(authority)


@pytest.fixture
def other_card(authority: CertificateAuthority) -> VirtualCard:
    return make_card(authority, holder=HOLDER_B)


@pytest.fixture
def slot() -> MemoryReader:
    """The slot itself: the hand that inserts and removes."""
    return MemoryReader("架空リーダー")


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """A short path: Unix sockets allow 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="card-"))
    yield folder / "reader.sock"
    shutil.rmtree(folder)


@pytest.fixture
def server(slot: MemoryReader, card: VirtualCard, other_card: VirtualCard, socket_path: Path) -> Iterator[ReaderServer]:
    server = ReaderServer(slot, {"花子": card, "次郎": other_card}, socket_path)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.close()
    thread.join()


@pytest.fixture
def shelf(server: ReaderServer, socket_path: Path) -> Shelf:  # noqa: ARG001  # the server must run
    return Shelf(socket_path)


@pytest.fixture(params=["memory", "socket"])
def reader(request: pytest.FixtureRequest, slot: MemoryReader) -> Reader:
    """The same slot, directly and through the socket: one contract."""
    if request.param == "memory":
        return slot
    request.getfixturevalue("server")
    path: Path = request.getfixturevalue("socket_path")
    return SocketReader(path)
