"""A made-up site that a visitor logs in at: it tells how soon it was usable, and whom it takes the visitor for."""

import base64
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from peers.pages import LINK, PLAIN, field_page, planting_page
from website import Quiet, Website

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Came:
    """One request: its moments are `perf_counter` seconds."""

    at: float
    path: str
    visit: str
    cookies: dict[str, str]
    body: str


@dataclass
class Plan:
    """What the site serves: `login` is what a click logs the visitor in as, `prefix` what is planted."""

    visit: int = 0
    login: str = ""
    prefix: str = ""
    came: list[Came] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Browsers that are killed break connections: no news."""


class TrialSite(Website):
    """The site, on loopback. With `secure` it speaks TLS under an authority of its own, `authority` (base64 DER)."""

    def __init__(self, *, secure: bool = False) -> None:
        self.plan = Plan()
        self._news = threading.Condition()
        super().__init__(self._handler(), HOST, kind=_Server)
        self.authority = ""
        self._scheme = "http"
        if secure:
            self._scheme, self.authority = "https", _secured(self._server)

    @property
    def origin(self) -> str:
        """By name, as its certificate has it."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def start(self) -> str:
        return f"{self.origin}/start"

    def expect(self, *, login: str = "", prefix: str = "") -> int:
        """Begin with the next visitor; their number, which colours their page."""
        self.plan = Plan(self.plan.visit + 1, login, prefix)
        return self.plan.visit

    @property
    def colour(self) -> str:
        """What the present visitor's page is filled with."""
        return f"#{self.plan.visit * 7919 % 0xFFFFFF:06x}"

    def first(self, path: str) -> Came | None:
        """The present visitor's first request for a path."""
        mine = str(self.plan.visit)
        return next((came for came in self.plan.came if came.path == path and came.visit in {"", mine}), None)

    def wait(self, path: str, limit: float = 20.0) -> Came:
        """Wait for it. Raises `TimeoutError`."""
        deadline = time.monotonic() + limit
        with self._news:
            while (found := self.first(path)) is None:
                if not self._news.wait(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError(f"no request for {path} among {[came.path for came in self.plan.came]}")
            return found

    def taken_for(self) -> set[str]:
        """By what the present visitor's first page and script say whose log-in they carry; empty for nobody's."""
        page, script = self.first("/start"), self.first("/painted")
        kept = set(page.cookies) if page is not None else set()
        return {name.replace("_", " ") for name in kept} | (
            {"local storage"} if script is not None and script.body else set()
        )

    def _came(self, came: Came) -> None:
        with self._news:
            self.plan.came.append(came)
            self._news.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:  # the library's name
                self._take("")

            def do_POST(self) -> None:  # the library's name
                self._take(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

            def _take(self, body: str) -> None:
                at, parts = time.perf_counter(), urlsplit(self.path)
                pairs = (pair.strip().partition("=") for pair in self.headers.get("Cookie", "").split(";"))
                cookies = {name: value for name, _, value in pairs if value}
                visit = parse_qs(parts.query).get("visit", [""])[0]
                site._came(Came(at, parts.path, visit, cookies, body))
                self._send(*_ANSWERS.get(parts.path, _nothing)(site.plan, site.colour))

            def _send(self, kind: str, body: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
                self.send_response(200)
                for name, value in (("Content-Type", f"{kind}; charset=utf-8"), *headers):
                    self.send_header(name, value)
                data = body.encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler


Answer = tuple[str, str, tuple[tuple[str, str], ...]]


def _nothing(_plan: Plan, _colour: str) -> Answer:
    return "text/plain", "", ()


def _start(plan: Plan, colour: str) -> Answer:
    if not plan.prefix:
        return "text/html", PLAIN.format(visit=plan.visit, colour=colour), ()
    cookies = (("Set-Cookie", f"kept={plan.prefix}c; Max-Age=86400"), ("Set-Cookie", f"now={plan.prefix}c; HttpOnly"))
    return "text/html", planting_page(plan.prefix, plan.visit), cookies


def _clicked(plan: Plan, _colour: str) -> Answer:
    if not plan.login:
        return _nothing(plan, "")
    cookies = (
        ("Set-Cookie", f"session_cookie={plan.login}"),
        ("Set-Cookie", f"lasting_cookie={plan.login}; Max-Age=86400"),
    )
    return "text/plain", plan.login, cookies


def _typed(plan: Plan, _colour: str) -> Answer:
    return "text/html", field_page("kana", "かな", plan.visit, title=f"{plan.prefix}t"), ()


def _kana(plan: Plan, _colour: str) -> Answer:
    return "text/html", LINK.format(prefix=plan.prefix, visit=plan.visit), ()


def _file(plan: Plan, _colour: str) -> Answer:
    return "application/octet-stream", f"{plan.prefix}d\n" * 50, (("Content-Disposition", "attachment"),)


_ANSWERS: dict[str, Callable[[Plan, str], Answer]] = {
    "/start": _start,
    "/clicked": _clicked,
    "/typed": _typed,
    "/kana": _kana,
    "/file.bin": _file,
}


def _secured(server: ThreadingHTTPServer) -> str:
    """Put a certificate of a fresh authority on a server; the authority's own, for browsers to trust."""
    now, root, leaf = (
        datetime.now(UTC),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "架空の認証局")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])

    def certificate(
        name: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool, names: list[x509.GeneralName]
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(issuer, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=2))
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(root, SHA256())

    own = certificate(issuer, root, authority=True, names=[])
    shown = certificate(subject, leaf, authority=False, names=[x509.IPAddress(ip_address(HOST))])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(prefix="site-") as file:
        secret = leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        Path(file.name).write_bytes(secret + shown.public_bytes(Encoding.PEM))
        context.load_cert_chain(file.name)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return base64.b64encode(own.public_bytes(Encoding.DER)).decode()
