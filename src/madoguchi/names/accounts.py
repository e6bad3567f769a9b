"""What kind of holder a kana name is written for: a person, a firm, a group, or a person with a trade name.

Rules, in this order; parts are what stands between spaces (half or full width):

1. **Firm**: Zengin's abbreviation of a legal entity or office beside a bracket, at the beginning (`ｶ)`), at the end
   (`(ｶ`) or inside (`(ｶ)`), half or full width; also ㈱ and ㈲. Nobody's own account.
2. **Group or agent**: a part that ends with a word of `_GROUPS` (代表, 後見人, 町内会, …): the money is not, or not
   only, the named person's.
3. **Trade name**: a part that ends with a word of `_TRADES` (商店, 食堂, …) and is longer than it, or one of three
   parts or more. The person is the one or two parts after it, else the one or two before it.
4. **Something beside a name**: three parts or more without such a word. The two last and the two first can be the
   person; that is no ground for SELF.

A single kana name can end like a trade word; that is why nobody asks here about an account that is already SELF.
"""

# mypy: allow-untyped-defs

import numpy as np
import numpy.typing as npt
from numba import njit

from madoguchi.names import fold
from madoguchi.names.engine import Engine, Texts
from madoguchi.names.reading import OK, read_kana

PERSON, FIRM, GROUP, TRADE, BESIDE = range(5)
"""Kinds of holders, see above."""
_MOST = 1024
_NAME_PARTS = 2
_PARTS = 16
_FIRMS = (
    "カ ユ メ シ ド イ ソ ザイ シヤ シユウ ガク フク ホゴ トクヒ ドク チドク チユウモク ケンカイ ジギヨウ"
    " ベン ユウグ ムグ ギヨ シホウ ゼイ ダイ ノウ カンリ シヤロウ トチカ ロウム コウニン カイケイ レン"
    " キヨウサイ セイメイ カイジヨウ カサイ ケンポ コクホ コクホレン シヤホ コウネン ジユウクミ ギヨキヨウ"
    " ギヨレン ノウキヨウ ノウキヨウレン コウサイ セイキヨウ シヨクアン シヤキヨウ トクヨウ ユウクミ ロウクミ"
    " エイ シユツ チユウ モク ケン シツ キヨウクミ シヨクハンキヨウ コクキヨウレン ケイザイレン"
    " キヨウサイレン"
)
"""Abbreviations of legal entities, unions and offices as they stand in Zengin holder names, without small kana."""
_GROUPS = (
    "カブシキガイシヤ カブシキカイシヤ ユウゲンガイシヤ ユウゲンカイシヤ ゴウドウガイシヤ ゴウドウカイシヤ"
    " ダイヒヨウ ダイヒヨウシヤ ダイリニン コウケンニン ホサニン ホジヨニン ホウテイダイリニン カンザイニン"
    " シンケンシヤ シヨウケイニン イゴンシツコウシヤ カイケイ リジチヨウ カイチヨウ クミアイチヨウ ジチカイ"
    " チヨウナイカイ チヨウカイ コウエンカイ ドウソウカイ シンボクカイ ロウジンカイ コドモカイ イインカイ"
    " ホゴシヤカイ キヨウカイ クミアイ クラブ サークル ホゾンカイ キヨウギカイ レンゴウカイ フジンカイ"
    " セイネンダン ジツコウイインカイ"
)
"""Words of groups' and agents' accounts; nobody's name in use ends with one."""
_TRADES = (
    "シヨウテン シヨウカイ コウムテン コウゲイ サンギヨウ セイサクシヨ セイサクジヨ テツコウシヨ"
    " テツコウジヨ ジムシヨ ケンキユウシヨ ケンキユウジヨ シンリヨウシヨ シンリヨウジヨ シリヨウイン"
    " セイコツイン シンキユウイン シカイイン ナイカイイン ガンカイイン クリニツク ヤツキヨク シヨクドウ"
    " リヨウリテン リヨテイ イザカヤ ラーメン キツサ キツサテン カフエ レストラン ベーカリー サロン"
    " ビヨウシツ ビヨウイン リハツテン スタジオ アトリエ デザイン オフイス ワークス プランニング ノウエン"
    " ボクジヨウ エンゲイ ゾウエン スイサン シヨテン シヤシンカン インサツ シヨクヒン ケンセツ セツビ"
    " ジドウシヤ モータース ウンソウ フドウサン リフオーム ハンバイ サービス シヨツプ ストア ガクジユク"
    " シンガクジユク キヨウシツ ガクイン リヨカン ミンシユク"
)
"""Words trade names end with. A closed list on purpose: what is not in it leads to a person's look, not to SELF. Words
that end names in use (ショウジ, イイン, デンキ) are left out."""


def _words(text: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Plain codes of each word (a long mark as the vowel it lengthens), and their sizes; longest first."""
    words = sorted((_codes(word) for word in text.split()), key=len, reverse=True)
    table = np.zeros((len(words), max(map(len, words))), dtype=np.uint8)
    for row, word in enumerate(words):
        table[row, : len(word)] = word
    return table, np.array([len(word) for word in words], dtype=np.int64)


def _codes(word: str) -> list[int]:
    codes: list[int] = []
    for code in map(fold.code_of, word):
        codes.append(fold.PLAIN[code] if code < fold.LONG else fold.LENGTHENED[fold.ROW[codes[-1]]])
    return codes


_FIRM_WORDS, _FIRM_SIZES = _words(_FIRMS)
_GROUP_WORDS, _GROUP_SIZES = _words(_GROUPS)
_TRADE_WORDS, _TRADE_SIZES = _words(_TRADES)
_SHORTEST = int(min(_GROUP_SIZES.min(), _TRADE_SIZES.min()))


@njit(cache=True, nogil=True)
def _mark(data, at, end):
    """1 space, 2 opening and 3 closing bracket, 4 ㈱ or ㈲, 0 anything else; and its size."""
    byte = data[at]
    if byte == 0x20:
        return 1, 1
    if byte in (0x28, 0x29):
        return (2 if byte == 0x28 else 3), 1
    if at + 3 > end:
        return 0, 1
    if byte == 0xE3:
        if data[at + 1] == 0x80 and data[at + 2] == 0x80:
            return 1, 3
        return (4 if data[at + 1] == 0x88 and data[at + 2] in (0xB1, 0xB2) else 0), 3
    if byte == 0xEF and data[at + 1] == 0xBC and data[at + 2] in (0x88, 0x89):
        return (2 if data[at + 2] == 0x88 else 3), 3
    return 0, 1


@njit(cache=True, nogil=True)
def _listed(plain, n, words, sizes):
    """The length of the longest word a part ends with; 0 if with none."""
    for row in range(sizes.size):
        size = sizes[row]
        place = 0
        while place < size <= n and plain[n - size + place] == words[row, place]:
            place += 1
        if place == size:
            return size
    return 0


@njit(cache=True, nogil=True)
def _spans(data, begin, end, spans, ends):
    """Parts between spaces and brackets: how many; `ends[part]` is 1 after an opening, 2 before a closing bracket.

    -1 if there is a sign that says firm by itself, or there are too many parts.
    """
    count, at, start, opened = 0, begin, begin, 0
    while at <= end:
        mark, size = _mark(data, at, end) if at < end else (1, 1)
        if mark == 4:
            return -1
        if mark:
            if at > start:
                if count == spans.shape[0]:
                    return -2
                spans[count, 0], spans[count, 1] = start, at
                ends[count] = 2 if mark == 3 else opened
                count += 1
            opened = 1 if mark == 2 else 0
            start = at + size
        at += size
    return count


@njit(cache=True, nogil=True)
def _person_part(count, spans, trade, out):
    """The one or two parts after part `trade`, else before it; whether there are such."""
    if 1 <= count - 1 - trade <= 2:
        out[0], out[1] = spans[trade + 1, 0], spans[count - 1, 1]
        return True
    if 1 <= trade <= 2:
        out[0], out[1] = spans[0, 0], spans[trade - 1, 1]
        return True
    return False


@njit(cache=True, nogil=True)
def _kind(data, begin, end, letters, codes, spans, ends, out):
    """The kind of one holder; `out` gets where the person's part lies, and for BESIDE the other part it can be."""
    count = _spans(data, begin, end, spans, ends) if end - begin <= _MOST else 0
    if count < 0:
        return FIRM if count == -1 else PERSON
    trade = -1
    for part in range(count):
        status, n, _ = read_kana(data, spans[part, 0], spans[part, 1], letters[0], letters[1], codes[0], codes[1])
        if status != OK:
            continue
        if ends[part] and _listed(codes[0], n, _FIRM_WORDS, _FIRM_SIZES) == n:
            return FIRM
        if n < _SHORTEST:
            continue
        if _listed(codes[0], n, _GROUP_WORDS, _GROUP_SIZES):
            return GROUP
        size = _listed(codes[0], n, _TRADE_WORDS, _TRADE_SIZES)
        if size and trade < 0 and (count > _NAME_PARTS or (count == _NAME_PARTS and n > size)):
            trade = part
    if trade >= 0:
        return TRADE if _person_part(count, spans, trade, out) else PERSON
    if count <= _NAME_PARTS:
        return PERSON
    out[0], out[1], out[2], out[3] = spans[count - 2, 0], spans[count - 1, 1], spans[0, 0], spans[1, 1]
    return BESIDE


@njit(cache=True, nogil=True)
def _kinds(data, at, rows, letters, kinds, parts):
    codes = np.zeros((2, fold.MAX_KANA), dtype=np.uint8)
    spans, ends = np.zeros((_PARTS, 2), dtype=np.int64), np.zeros(_PARTS, dtype=np.uint8)
    for place in range(rows.size):
        row = rows[place]
        kinds[place] = _kind(data, at[row], at[row + 1], letters, codes, spans, ends, parts[place])


def kinds_of(
    engine: Engine, kana: Texts, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The kind of holder of each of these rows, and (begin, end, begin, end) of the person's part in the bytes.

    The parts are meaningful for TRADE (one) and BESIDE (two that can be the person).
    """
    kinds, parts = np.zeros(len(rows), dtype=np.uint8), np.zeros((len(rows), 4), dtype=np.int64)
    _kinds(kana.data, kana.at, rows, engine.letters, kinds, parts)
    return kinds, parts
