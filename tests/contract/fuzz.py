"""Coverage-guided fuzzing of everything that parses bytes: python tests/contract/fuzz.py [SECONDS]

Each input goes to one reader, which its first byte names. A reader that raises what it must not, takes more than ten
seconds or more than a gigabyte stops the run, with the input in a file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]
with atheris.instrument_imports(include=["codegen", "backpack_sdk"]):
    from tests.contract.targets import HOSTILE, TARGETS

SECONDS = 60
LONGEST = 4096
PIECES = (
    '"openapi":"3.0.3"', '"paths":{', '"$ref":"#/components/schemas/A"', '"allOf":[', "<script>", "</script>",
    "__redoc_state", '"code":"INVALID_ORDER"', '"message":', "\\\\ud800", "NaN", "1e999", "&a", "*a", "!!int", "---",
)  # fmt: skip
SEEDS = (
    b'{"openapi":"3.0.3","paths":{"/a":{"get":{"operationId":"a","tags":["order"],"description":"instruction: `x`",'
    b'"parameters":[{"name":"limit","in":"query","schema":{"type":"integer","format":"int8"},"description":"max `9`"}],'
    b'"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},"components":'
    b'{"schemas":{"A":{"oneOf":[{"$ref":"#/components/schemas/B"}],"discriminator":{"propertyName":"t"}},"B":{"type":'
    b'"object","properties":{"t":{"type":"string","enum":["b"]},"d":{"type":"string","format":"decimal"}}}}}}',
    b"openapi: 3.0.3\npaths:\n  /a:\n    get:\n      operationId: a\n      responses: {200: {description: no}}\n",
    b'{"code":"INVALID_ORDER","message":"no"}',
    b'{"asks":[["21.9","1"]],"bids":[["20","0.5"]],"lastUpdateId":"7","timestamp":1777636800125250}',
    b'[{"orderType":"Limit","id":"1","clientId":7,"symbol":"SOL_USDC","side":"Bid","quantity":"1","status":"New"}]',
)
"""Sound inputs to start from."""


def one(data: bytes) -> None:
    """Give one input to its reader."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def main(seconds: int) -> None:
    """Fuzz for some seconds, from sound and from hostile examples."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for index, content in enumerate((*SEEDS, *HOSTILE)):
        for target in range(len(TARGETS)):
            (corpus / f"{index}-{target}").write_bytes(bytes([target]) + content[:LONGEST])
    words = folder / "words"
    words.write_text("".join('"' + piece.replace('"', '\\"') + '"\n' for piece in PIECES), encoding="utf-8")
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=1024"]
    atheris.Setup([sys.argv[0], *options, f"-dict={words}", f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
