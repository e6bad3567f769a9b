"""A tiny site on loopback that writes down what reaches it."""

import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from website import Quiet, Website

_PAGE = """<!doctype html><html lang="ja"><head><meta charset="utf-8">{title}<style>
body {{ margin: 0; background: #f4f4f4; font-size: 24px; }} input, select, button {{ font-size: 32px; }}
input {{ position: absolute; left: 100px; top: 100px; width: 600px; }}
select {{ position: absolute; left: 100px; top: 200px; width: 600px; height: 60px; }}
button {{ position: absolute; left: 100px; top: 500px; width: 300px; height: 60px; }}
</style></head><body>{body}</body></html>"""

_FORM = """<form method="post" action="/sent" accept-charset="utf-8"><input name="who" aria-label="名前">
<select name="bank" aria-label="銀行"><option value="none">選ぶ<option value="first">架空第一銀行
<option value="second">架空第二銀行</select><button>送る</button></form>"""


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    path: str
    cookie: str
    form: dict[str, str]


class Site(Website):
    """The site; `seen` grows with every request. Every answer sets a cookie named after `person`."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.person = "someone"
        super().__init__(self._handler())

    def paths(self) -> list[str]:
        return [seen.path for seen in self.seen]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(Quiet, BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the library's name
                self._answer({})

            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer({name: values[0] for name, values in parse_qs(body).items()})

            def _answer(self, form: dict[str, str]) -> None:
                path = urlsplit(self.path).path
                site.seen.append(Seen(path, self.headers.get("Cookie", ""), form))
                if path == "/slow":
                    time.sleep(4)
                self._send(path)

            def _send(self, path: str) -> None:
                title = "" if path == "/untitled" else f"<title>架空 {path}</title>"
                body = _FORM if path == "/form" else f"<h1>{path} {site.person}</h1>"
                self.send_response(302 if path == "/moved" else 500 if path == "/broken" else 200)
                if path == "/moved":
                    self.send_header("Location", "/arrived")
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Set-Cookie", f"person={site.person}; Max-Age=3600")
                self.end_headers()
                self.wfile.write(_PAGE.format(title=title, body=body).encode())

        return Handler
