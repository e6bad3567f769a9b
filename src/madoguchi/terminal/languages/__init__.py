"""Every sentence a citizen sees on the terminal, one file per language: `<language>.toml`, the same keys in each.

A text is named `section.key`. `{…}` is put in by the screen. In Japanese `《…》` holds the reading of the kanji just
before it. Read once, from the package; needs nothing but the standard library, so that the bar can use it, too.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

LANGUAGES: Final = ("ja", "easy", "en", "zh", "ko", "pt", "vi")
"""In the order of the buttons. `easy` is やさしい日本語."""

JAPANESE: Final = frozenset({"ja", "easy"})

KANJI: Final = "々〆一-鿿"
"""What needs a reading, as the inside of a character class."""

READING: Final = re.compile(rf"([{KANJI}]+)《([^》]+)》")


class Catalogue:
    """The texts of one language. `name` is the language's own name, `lang` the tag for the `lang` attribute."""

    def __init__(self, language: str, marked: Mapping[str, str]) -> None:
        self.language = language
        self._marked = MappingProxyType(dict(marked))
        self.name = self.plain("meta.name")
        self.lang = self.plain("meta.lang")

    def __iter__(self) -> Iterator[str]:
        return iter(self._marked)

    def marked(self, key: str) -> str:
        """The text as it stands in the file, with readings. Raises `KeyError`."""
        return self._marked[key]

    def plain(self, key: str, **values: object) -> str:
        """The text without readings, with `{…}` filled in if values are given. Raises `KeyError`."""
        text = READING.sub(r"\1", self._marked[key])
        return text.format(**values) if values else text


@cache
def catalogue(language: str) -> Catalogue:
    """The texts of a language of `LANGUAGES`. Raises `KeyError` for any other."""
    if language not in LANGUAGES:
        raise KeyError(language)
    text = (files(__package__) / f"{language}.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(text).items()
    return Catalogue(language, {f"{section}.{key}": line for section, rows in sections for key, line in rows.items()})
