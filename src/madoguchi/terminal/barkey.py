"""One key of the display that leads to the bar, whatever window has the keyboard: no window manager gives it to it.

Spoken to Xlib directly, on a connection of its own: Tk cannot ask for a key of the whole display.
"""

import ctypes
import ctypes.util
import threading
from collections.abc import Callable
from typing import Any, Final

KEY: Final = "F12"
"""Not used by the browser (its tools are switched off) nor by the input method."""

_F12 = 0xFFC9
_KEY_PRESS = 2
_ASYNC = 1
_REVERT_TO_PARENT = 2
_LOCKS: Final = (0, 2, 16, 18)
"""Without and with Caps Lock and Num Lock."""
_ROOM_FOR_AN_EVENT = 256

_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class BarKey:
    """Calls `pressed` in a thread of its own each time the key is pressed. Without Xlib, or if taken: never."""

    def __init__(self, pressed: Callable[[], object]) -> None:
        self._pressed = pressed
        self._before = ctypes.c_ulong(0)
        self._held = False
        name = ctypes.util.find_library("X11") or "libX11.so.6"
        try:
            self._x: Any = _declared(ctypes.CDLL(name))
        except OSError:
            return
        self._handler = _Handler(lambda _display, _error: 0)  # a taken key or a window gone is no reason to die
        self._x.XSetErrorHandler(self._handler)
        self._back = self._x.XOpenDisplay(None)
        threading.Thread(target=self._watch, name="bar key", daemon=True).start()

    def take(self, window: int) -> None:
        """Give the keyboard to this window: Tk does not do so for a window without frame."""
        self._focus(window)

    def give_back(self) -> None:
        """Let the window that had the keyboard before the key have it again; nothing if the key was not pressed."""
        if self._held and self._before.value > 1:
            self._focus(self._before.value)
        self._held = False

    def _focus(self, window: int) -> None:
        self._x.XSetInputFocus(self._back, window, _REVERT_TO_PARENT, 0)
        self._x.XFlush(self._back)

    def _watch(self) -> None:
        display = self._x.XOpenDisplay(None)
        if not display:
            return
        root = self._x.XDefaultRootWindow(display)
        code = self._x.XKeysymToKeycode(display, _F12)
        for locks in _LOCKS:
            self._x.XGrabKey(display, code, locks, root, 0, _ASYNC, _ASYNC)
        event = ctypes.create_string_buffer(_ROOM_FOR_AN_EVENT)
        while True:
            self._x.XNextEvent(display, event)
            if ctypes.c_int.from_buffer(event).value == _KEY_PRESS:
                revert = ctypes.c_int()
                found = ctypes.c_ulong()
                self._x.XGetInputFocus(display, ctypes.byref(found), ctypes.byref(revert))
                if not self._held:
                    self._before = found
                self._held = True
                self._pressed()


def _declared(library: Any) -> Any:
    """With the types of what is used: pointers are wider than ctypes' guess."""
    pointer, window = ctypes.c_void_p, ctypes.c_ulong
    library.XOpenDisplay.restype = pointer
    library.XOpenDisplay.argtypes = [ctypes.c_char_p]
    library.XDefaultRootWindow.restype = window
    library.XDefaultRootWindow.argtypes = [pointer]
    library.XKeysymToKeycode.restype = ctypes.c_ubyte
    library.XKeysymToKeycode.argtypes = [pointer, window]
    library.XGrabKey.argtypes = [pointer, *(ctypes.c_int, ctypes.c_uint), window, *(ctypes.c_int,) * 3]
    library.XNextEvent.argtypes = [pointer, pointer]
    library.XGetInputFocus.argtypes = [pointer, pointer, pointer]
    library.XSetInputFocus.argtypes = [pointer, window, ctypes.c_int, window]
    library.XFlush.argtypes = [pointer]
    library.XSetErrorHandler.argtypes = [_Handler]
    library.XSetErrorHandler.restype = pointer
    return library
