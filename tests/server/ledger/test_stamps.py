"""Time stamps from a real authority: OpenSSL's, behind HTTP."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from madoguchi.evidence.verify import main as verify
from madoguchi.server.ledger import stamps
from madoguchi.server.ledger.export import Scope, export
from madoguchi.server.ledger.models import Stamp
from server.seat import Seat
from website import Quiet, Website

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CONFIG = """\
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""
EXTENSION = "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"


def openssl(*arguments: object, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True, capture_output=True).stdout


@dataclass
class Authority:
    """Where it is asked, its root, and what it answers with (`twist` changes an answer on its way)."""

    url: str
    folder: Path
    twist: Callable[[bytes], bytes] = bytes

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"


def certificates(folder: Path) -> None:
    new = ("req", "-newkey", "rsa:2048", "-nodes", "-subj")
    openssl(
        *new,
        "/CN=架空ルート",
        "-utf8",
        "-x509",
        "-days",
        30,
        "-keyout",
        folder / "root.key",
        "-out",
        folder / "root.pem",
    )
    openssl(*new, "/CN=架空時刻認証局", "-utf8", "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr")
    (folder / "ext").write_text(EXTENSION)
    signed = ("-CA", folder / "root.pem", "-CAkey", folder / "root.key", "-CAcreateserial", "-extfile", folder / "ext")
    openssl("x509", "-req", "-days", 30, "-in", folder / "tsa.csr", *signed, "-out", folder / "tsa.pem")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "tsa"
    folder.mkdir()
    certificates(folder)

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl(
                "ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", folder / "query", "-out", folder / "reply"
            )
            answer = made.twist((folder / "reply").read_bytes())
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with Website(Handler) as served:
        made = Authority(f"{served.origin}/", folder)
        yield made


def test_a_checkpoint_is_stamped_once_and_openssl_agrees(
    seat: Seat, authority: Authority, settings: Any, tmp_path: Path
) -> None:
    assert seat.token
    settings.TIMESTAMP_URL, settings.TIMESTAMP_ROOTS = authority.url, authority.root
    made = stamps.stamp()
    assert stamps.stamp() == made
    (tmp_path / "note").write_text(made.checkpoint.note)
    (tmp_path / "token").write_bytes(bytes(made.token))
    said = openssl("ts", "-verify", "-in", tmp_path / "token", "-data", tmp_path / "note", "-CAfile", authority.root)
    assert b"OK" in said
    export(tmp_path / "all", scope=Scope.whole())
    assert (tmp_path / "all" / "stamps" / f"{made.checkpoint_id}.tsr").read_bytes() == bytes(made.token)
    assert verify([str(tmp_path / "all")]) == 0


@pytest.mark.parametrize("twist", [lambda answer: answer[:-9] + b"\0" + answer[-8:], lambda _: b"", lambda a: a[:100]])
def test_a_broken_answer_is_no_stamp(seat: Seat, authority: Authority, settings: Any, twist: Any) -> None:
    assert seat.token
    settings.TIMESTAMP_URL, settings.TIMESTAMP_ROOTS = authority.url, authority.root
    authority.twist = twist
    with pytest.raises(stamps.NotStamped):
        stamps.stamp()
    assert not Stamp.objects.exists()


def test_an_authority_of_another_root_an_old_answer_and_none_are_no_stamp(
    seat: Seat, authority: Authority, settings: Any, tmp_path: Path
) -> None:
    assert seat.token
    (tmp_path / "other").mkdir()
    certificates(tmp_path / "other")
    first = stamps.ask(authority.url, authority.root, b"said")
    for url, root in ((authority.url, tmp_path / "other" / "root.pem"), ("", authority.root), (authority.url, None)):
        settings.TIMESTAMP_URL, settings.TIMESTAMP_ROOTS = url, root
        with pytest.raises(stamps.NotStamped):
            stamps.stamp()
    authority.twist = lambda _: first
    with pytest.raises(stamps.NotStamped):
        stamps.ask(authority.url, authority.root, b"said")
    assert not Stamp.objects.exists()
