"""The encoding and the separator of a text file, found out from the whole file and its first lines."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_BLOCK = 1 << 20
_SAMPLE = 1 << 18
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = (",", ";", "\t", "|")
WHITESPACE = "whitespace"
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def open_bytes(path: Path) -> pa.NativeFile:
    """A file's bytes, unpacked where its ending says that it is packed."""
    return pa.input_stream(str(path), compression="detect")


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, block by block."""
    with open_bytes(path) as stream:
        while block := stream.read(_BLOCK):
            yield block


class BlockStream:
    """Blocks of bytes as a file to read from."""

    closed = False

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self._left = next(self._source, b"")
        self.empty = not self._left

    def read(self, size: int = -1) -> bytes:
        """The next bytes; all that are left where no size is given."""
        parts, have = [self._left], len(self._left)
        while size < 0 or have < size:
            block = next(self._source, b"")
            if not block:
                break
            parts.append(block)
            have += len(block)
        whole = b"".join(parts)
        cut = have if size < 0 else size
        self._left = whole[cut:]
        return whole[:cut]

    def close(self) -> None:
        """Say that no more is wanted."""
        self.closed = True


def squeezed(path: Path, encoding: str) -> Iterator[bytes]:
    """A text's lines with tabs in place of any blanks between cells, in UTF-8, block by block."""
    with open_bytes(path) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding)
        while lines := text.readlines(_BLOCK):
            yield "".join("\t".join(line.split()) + "\n" for line in lines).encode()


def find_encoding(path: Path) -> str:
    """The encoding of a text file: a byte-order mark, else UTF-8, else GB18030 or Windows-1252.

    The two last are told apart by what the bytes above 127 become: Chinese text is pairs of them that decode to common
    characters, Western text has them one by one.

    Raises
    ------
    DataError
        Where the bytes are text in none of these.
    """
    with open_bytes(path) as stream:
        sample = stream.read(_SAMPLE)
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if sample.count(b"\x00") > len(sample) // 4:
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    if _CONTROLS.search(sample) is None:
        for name in _order(path):
            if decodes(path, name):
                return name
    raise DataError(
        f"{path}: is not text in any known encoding (UTF-8, UTF-16, GB18030, Windows-1252); expected a CSV file, or "
        f"the setting encoding."
    )


def decodes(path: Path, encoding: str) -> bool:
    """Whether a whole file is text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _order(path: Path) -> tuple[str, ...]:
    """The encodings to try, likeliest first."""
    pairs = singles = 0
    for block in blocks(path):
        for run in re.findall(rb"[\x80-\xff]+", block):
            pairs += len(run) if len(run) % 2 == 0 else 0
            singles += len(run) if len(run) % 2 else 0
        if pairs + singles > 20_000:
            break
    return ("utf-8", "gb18030", "cp1252") if pairs > singles else ("utf-8", "cp1252", "gb18030")


def head(path: Path, encoding: str, lines: int = 200) -> list[str]:
    """The first lines of a file, without their ends; quoted line breaks stay inside their line."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with open_bytes(path) as stream:
        block = stream.read(_SAMPLE)
        whole = not stream.read(1)
    text = decoder.decode(block).removeprefix("\ufeff")
    found: list[str] = []
    open_quote = False
    for line in io.StringIO(text, newline=None):
        if open_quote:
            found[-1] += "\n" + line.rstrip("\n")
        else:
            found.append(line.rstrip("\n"))
        open_quote = found[-1].count('"') % 2 == 1
    if not whole and len(found) > 1:
        found.pop()
    return found[:lines]


def find_separator(lines: Sequence[str], wanted: Sequence[str] = ()) -> str:
    """The column separator of a text file's first lines.

    The wanted column names decide where they can; otherwise the separator that cuts most lines into the same number
    of cells, more than one.

    >>> find_separator(["a;b", "1,5;2"])
    ';'
    >>> find_separator([" id  date", " 1 19970101"])
    'whitespace'
    """
    filled = [line for line in lines if line.strip()]
    if not filled:
        return ","
    best = max(_SEPARATORS, key=lambda s: (_names_hit(filled[0], s, wanted), _regularity(filled, s)))
    if _regularity(filled, best) > 0 or _names_hit(filled[0], best, wanted) > 1:
        return best
    widths = {len(line.split()) for line in filled}
    return WHITESPACE if len(widths) == 1 and widths.pop() > 1 else ","


def cells(line: str, separator: str) -> list[str]:
    """One line's cells."""
    if separator == WHITESPACE:
        return line.split()
    return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator), [])


def _names_hit(line: str, separator: str, wanted: Sequence[str]) -> int:
    return len(set(wanted) & {c.strip() for c in cells(line, separator)})


def _regularity(lines: Sequence[str], separator: str) -> float:
    """The share of lines with the usual number of cells; 0 where that is one."""
    widths = Counter(len(cells(line, separator)) for line in lines)
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    return count / len(lines) + width / 1_000 if width > 1 else 0.0
