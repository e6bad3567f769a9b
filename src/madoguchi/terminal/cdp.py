"""Chromium DevTools Protocol over `--remote-debugging-pipe`: NUL-separated JSON, no TCP port."""

import itertools
import json
import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from queue import Queue
from typing import Any

from madoguchi.terminal.errors import TerminalError

Handler = Callable[[Mapping[str, Any]], None]
_CHUNK = 1 << 16
_SEND_LIMIT = 2.0


class CdpError(TerminalError):
    """Base of everything that can go wrong between agent and browser."""

    sentence = "ブラウザを操作できません。手続を終わりにして、職員に知らせてください。"


class CdpClosed(CdpError):
    """The browser closed the pipe: it died or was killed."""

    sentence = "ブラウザが止まりました。手続を終わりにして、職員に知らせてください。"


class CdpTimeout(CdpError):
    """No answer within the time."""

    sentence = "ブラウザから返事がありません。手続を終わりにして、職員に知らせてください。"


class CdpRefused(CdpError):
    """The browser answered with an error; the text is the browser's own."""


class Cdp:
    """One connection to one browser.

    Events are handed to `on_event(message)` in the reading thread: a handler must not call `call`. `on_close()` is
    called once from that thread when the browser's end of the pipe closes. The object owns both descriptors.
    """

    def __init__(self, *, to_browser: int, from_browser: int, on_event: Handler, on_close: Callable[[], None]) -> None:
        self._to, self._from = to_browser, from_browser
        self._on_event, self._on_close = on_event, on_close
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Queue[Mapping[str, Any] | None]] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        self._stop_read, self._stop_write = os.pipe()
        os.set_blocking(self._to, False)
        self._thread = threading.Thread(target=self._read_all, name="cdp", daemon=True)
        self._thread.start()

    def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, session: str | None = None, timeout: float = 5.0
    ) -> Mapping[str, Any]:
        """Send one command and return its result. Raises `CdpClosed`, `CdpTimeout`, `CdpRefused`."""
        deadline = time.monotonic() + timeout
        number, answer = self._expect()
        message = {"id": number, "method": method, "params": dict(params or {})}
        if session is not None:
            message["sessionId"] = session
        try:
            self._send(json.dumps(message).encode() + b"\0", deadline)
            return self._result(method, answer, deadline)
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def send(self, method: str, params: Mapping[str, Any], *, session: str | None = None) -> None:
        """Send one command and let its answer go. Raises `CdpClosed`, `CdpTimeout`."""
        message = {"id": next(self._numbers), "method": method, "params": dict(params)}
        if session is not None:
            message["sessionId"] = session
        self._send(json.dumps(message).encode() + b"\0", time.monotonic() + _SEND_LIMIT)

    def close(self) -> None:
        """Let go of the pipes and end the reading thread. Idempotent; `on_close` is not called for it."""
        with self._lock:
            if self._closed and self._stop_write < 0:
                return
            self._closed = True
            write, self._stop_write = self._stop_write, -1
        os.close(write)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        with self._writing:
            for descriptor in (self._to, self._from, self._stop_read):
                os.close(descriptor)

    def _expect(self) -> tuple[int, "Queue[Mapping[str, Any] | None]"]:
        answer: Queue[Mapping[str, Any] | None] = Queue()
        with self._lock:
            if self._closed:
                raise CdpClosed("the pipe is closed")
            number = next(self._numbers)
            self._waiting[number] = answer
        return number, answer

    def _send(self, data: bytes, deadline: float) -> None:
        with self._writing:
            while data:
                if self._closed:
                    raise CdpClosed("the pipe is closed")
                _, ready, _ = select.select((), (self._to,), (), max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise CdpTimeout("the browser does not read")
                data = data[self._write(data) :]

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._to, data[: select.PIPE_BUF])
        except OSError as error:
            raise CdpClosed("the browser closed the pipe") from error

    @staticmethod
    def _result(method: str, answer: "Queue[Mapping[str, Any] | None]", deadline: float) -> Mapping[str, Any]:
        try:
            message = answer.get(timeout=max(0.0, deadline - time.monotonic()))
        except Exception as error:
            raise CdpTimeout(f"{method}: no answer") from error
        if message is None:
            raise CdpClosed(f"{method}: the browser closed the pipe")
        if "error" in message:
            raise CdpRefused(f"{method}: {message['error'].get('message', '')}")
        result: Mapping[str, Any] = message.get("result", {})
        return result

    def _read_all(self) -> None:
        rest = b""
        while chunk := self._chunk():
            *messages, rest = (rest + chunk).split(b"\0")
            for message in messages:
                self._dispatch(json.loads(message))
        self._ended()

    def _chunk(self) -> bytes:
        ready, _, _ = select.select((self._from, self._stop_read), (), ())
        if self._stop_read in ready:
            return b""
        try:
            return os.read(self._from, _CHUNK)
        except OSError:
            return b""

    def _dispatch(self, message: Mapping[str, Any]) -> None:
        if "id" not in message:
            self._on_event(message)
            return
        with self._lock:
            answer = self._waiting.get(message["id"])
        if answer is not None:
            answer.put(message)

    def _ended(self) -> None:
        with self._lock:
            ours = self._closed
            self._closed = True
            waiting = list(self._waiting.values())
        for answer in waiting:
            answer.put(None)
        if not ours:
            self._on_close()
