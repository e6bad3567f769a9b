"""`python -m madoguchi.evidence.verify BUNDLE`: checks a bundle and says what holds. Needs `cryptography` alone."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from madoguchi.evidence import keys
from madoguchi.evidence.checks import Asked, Head, check
from madoguchi.evidence.errors import BundleUnreadable, EvidenceError
from madoguchi.evidence.note import Verifier
from madoguchi.evidence.source import SMALL, open_bundle
from madoguchi.evidence.verdict import UNREADABLE, Verdict, as_json, lines, plain


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the bundle that the arguments name; returns the exit code (`verdict.HOLDING` …)."""
    given = _parser().parse_args(arguments)
    verdict = Verdict()
    try:
        with open_bundle(given.bundle) as source:
            head = check(source, verdict, _asked(given))
    except (EvidenceError, BrokenProcessPool) as error:
        _say(_unreadable(error, as_object=given.json))
        return UNREADABLE
    _say(_json(head, verdict) if given.json else _words(given.bundle, head, verdict))
    return verdict.exit


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("madoguchi.evidence.verify", description="証拠の束を確かめます。Checks a bundle.")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="フォルダーか zip · a folder or a zip")
    parser.add_argument("--key", metavar="VKEY", help="紙に印刷された鍵 · the log's verifier key, as on paper")
    parser.add_argument(
        "--anchor",
        type=Path,
        action="append",
        default=[],
        metavar="NOTE",
        help="古いチェックポイントのファイル · a file with an older checkpoint; may be given several times",
    )
    parser.add_argument("--log-only", action="store_true", help="署名と内容を確かめない · hashes only")
    parser.add_argument("--json", action="store_true", help="JSON で書く · write JSON")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="同時に使う数 · processes")
    return parser


def _asked(given: argparse.Namespace) -> Asked:
    """Raises `CheckpointBroken` or `BadSignature` for a key that is none."""
    key = Verifier.parse(given.key) if given.key is not None else None
    papers = tuple((path.name, _paper(path)) for path in given.anchor)
    return Asked(key, papers, given.log_only, given.jobs)


def _paper(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(SMALL)
    except OSError:
        return None


def _words(bundle: Path, head: Head, verdict: Verdict) -> str:
    scope = "全部 whole log" if head.whole else f"一部 part: {plain(head.scope['kind'])}"
    said = [
        f"証拠の束 · evidence bundle: {plain(bundle.name)}({scope})",
        f"記録 · log: {plain(head.checkpoint.origin)}、{head.checkpoint.size} 件 entries、"
        f"鍵の指紋 key {keys.fingerprint(head.key.public)}",
        *lines(verdict),
    ]
    return "\n".join(said) + "\n"


def _json(head: Head, verdict: Verdict) -> str:
    about = {
        "origin": head.checkpoint.origin,
        "size": head.checkpoint.size,
        "scope": head.scope["kind"],
        "key": head.key.text(),
        "fingerprint": keys.fingerprint(head.key.public),
    }
    return json.dumps(about | as_json(verdict), ensure_ascii=False, indent=1) + "\n"


def _unreadable(error: EvidenceError | BrokenProcessPool, *, as_object: bool) -> str:
    ja = error.sentence if isinstance(error, EvidenceError) else BundleUnreadable.sentence
    en = f"The bundle cannot be read: {plain(error)}."
    if as_object:
        return json.dumps({"holds": False, "unreadable": True, "ja": ja, "en": en}, ensure_ascii=False) + "\n"
    return f"× {ja} {en}\n"


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
