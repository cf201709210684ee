"""Texts as counts of terms: the columns that are read so, and the rows of counts that are made of them.

Terms are words or runs of characters, found as scikit-learn's vectorizers find them: the same expressions in the same order.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from slipway.plans.kernels import NATIVE_HASH, NATIVE_RUNS, hash_terms, native, runs

_BLANKS = re.compile(r"\s\s+")

_Located = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Bytes, where each term among them starts and ends, and how often it is there."""

Find = Callable[[str], Iterable[str]]
"""Finds the terms of a text; a term comes as often as the text has it."""


@dataclass(frozen=True)
class Analysis:
    """The way from a text to its terms, as the parameters of a vectorizer say.

    Attributes:
        unit: `word`, `char` or `char_wb`, which is characters within words.
        lowercase: whether capitals are taken for small letters first.
        accents: `ascii`, `unicode` or "": how accents are taken away.
        pattern: the regular expression of a word.
        least: the smallest number of words, or characters, in a term.
        most: the largest.
        stop_words: words that are left out.
    """

    unit: str
    lowercase: bool
    accents: str
    pattern: str
    least: int
    most: int
    stop_words: tuple[str, ...] = ()

    def finder(self) -> Find:
        """Return the function that finds the terms of a text."""
        split = {"word": self._words(), "char": self._characters, "char_wb": self._characters_of_words}[self.unit]
        prepare = self.prepared
        return lambda text: split(prepare(text))

    def prepared(self, text: str) -> str:
        """Return a text in small letters and without accents, where that is wanted."""
        text = text.lower() if self.lowercase else text
        if self.accents == "unicode":
            return _without_accents(text)
        if self.accents == "ascii":
            return unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")
        return text

    def _words(self) -> Find:
        find, stop, least, most = re.compile(self.pattern).findall, frozenset(self.stop_words), self.least, self.most

        def words(text: str) -> list[str]:
            found = [word for word in find(text) if word not in stop] if stop else find(text)
            if most == 1:  # whatever `least` is, as in scikit-learn
                return found
            sizes = range(least, min(most, len(found)) + 1)
            return [" ".join(found[at : at + size]) for size in sizes for at in range(len(found) - size + 1)]

        return words

    def _characters(self, text: str) -> Iterator[str]:
        text = _BLANKS.sub(" ", text)
        for size in range(self.least, min(self.most, len(text)) + 1):
            for at in range(len(text) - size + 1):
                yield text[at : at + size]

    def _characters_of_words(self, text: str) -> list[str]:
        found: list[str] = []
        for word in text.split():
            padded = f" {word} "
            length = len(padded)
            for size in range(self.least, self.most + 1):
                found += [padded[at : at + size] for at in range(max(length - size, 0) + 1)]
                if length <= size:  # a word that is as short as the term counts once
                    break
        return found


@dataclass(frozen=True)
class Counted:
    """Counts of terms, as sparse rows: those of a row lie from `starts[row]` up to `starts[row + 1]`, by their indices.

    Attributes:
        starts: (rows + 1,).
        indices: the index of each term.
        counts: how often the row's text has the term; 0 may be there too.
    """

    starts: NDArray[np.int64]
    indices: NDArray[np.int64]
    counts: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> "Counted":
        """Return some of the rows."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], lengths)
        return Counted(starts, self.indices[at], self.counts[at])

    def cut(self, start: int, stop: int) -> "Counted":
        """Return the rows from `start` up to `stop`, without a copy of their terms."""
        first, last = int(self.starts[start]), int(self.starts[stop])
        starts = self.starts[start : stop + 1] - first
        return Counted(starts, self.indices[first:last], self.counts[first:last])


@dataclass(frozen=True)
class TermsColumn:
    """A column of texts that is read as counts of terms.

    Attributes:
        column: its place in a raw row.
        analysis: how terms are found.
        replaced: texts in place of which others are read.
        none: the text that is read in place of None; None where there is none.
        nan: the text that is read in place of a missing value among texts; None where there is none.
        vocabulary: the terms in the order of their indices; empty where indices are hashes.
        hashed: the number of indices that hashes have; 0 with a vocabulary.
        signed: whether a term counts -1 where its hash is negative.
        binary: whether a term counts 1 however often it is there.
    """

    column: int
    analysis: Analysis
    replaced: tuple[tuple[str, str], ...]
    none: str | None
    nan: str | None
    vocabulary: tuple[str, ...]
    hashed: int
    signed: bool
    binary: bool

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {term: index for index, term in enumerate(self.vocabulary)}

    @cached_property
    def _find(self) -> Find:
        return self.analysis.finder()

    @cached_property
    def _replaced(self) -> dict[str, str]:
        return dict(self.replaced)

    def count(self, texts: Sequence[str]) -> Counted:
        """Return the counts of texts. Raises UnicodeEncodeError for a text with half of a character, where terms are hashed."""
        if len(known := dict.fromkeys(texts)) < len(texts):  # the terms of a text that comes again are found once
            places = dict(zip(known, range(len(known)), strict=True))
            return self.count(list(known)).take(np.array([places[text] for text in texts], dtype=np.intp))
        each = [self._counted(self._replaced.get(text, text)) for text in texts]
        starts = np.zeros(len(each) + 1, dtype=np.int64)
        np.cumsum([len(indices) for indices, _ in each], out=starts[1:])
        if len(each) == 1:
            return Counted(starts, *each[0])
        indices = np.concatenate([indices for indices, _ in each] or [np.zeros(0, dtype=np.int64)])
        return Counted(starts, indices, np.concatenate([counts for _, counts in each] or [np.zeros(0)]))

    def _counted(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if self.hashed:
            indices, counts = self._hashes_of(text)
        else:
            terms = Counter(self._find(text))
            known = [(index, count) for term, count in terms.items() if (index := self._indices.get(term)) is not None]
            known.sort()
            indices = np.array([index for index, _ in known], dtype=np.int64)
            counts = np.array([count for _, count in known], dtype=np.float64)
        return indices, np.ones(len(counts)) if self.binary else counts

    def _hashes_of(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        content, starts, ends, often = self._runs(text) if self.analysis.unit == "char_wb" else self._terms(text)
        counts, found = np.zeros(self.hashed), np.zeros(self.hashed, dtype=np.bool_)
        # Whole numbers add up to the same in any order.
        native(hash_terms, NATIVE_HASH)(content, starts, ends, often, self.signed, counts, found)
        indices = np.flatnonzero(found)
        return indices, counts[indices]

    def _terms(self, text: str) -> _Located:
        terms = Counter(self._find(text))
        encoded = [term.encode() for term in terms]
        ends = np.cumsum([len(term) for term in encoded], dtype=np.int64)
        starts = np.concatenate([np.zeros(1, dtype=np.int64), ends[:-1]])[: len(ends)]
        return _bytes(b"".join(encoded)), starts, ends, np.array(list(terms.values()), dtype=np.float64)

    def _runs(self, text: str) -> _Located:
        """Find the runs of characters natively: as texts of their own they would cost several times as much."""
        words = self.analysis.prepared(text).split()
        content = "".join([f" {word} " for word in words]).encode()
        sizes = self.analysis.most - self.analysis.least + 1
        starts, ends = np.empty(len(content) * sizes, dtype=np.int64), np.empty(len(content) * sizes, dtype=np.int64)
        count = np.zeros(1, dtype=np.int64)
        flat = _bytes(content)
        if words:
            native(runs, NATIVE_RUNS)(flat, self.analysis.least, self.analysis.most, starts, ends, count)
        found = int(count[0])
        return flat, starts[:found], ends[:found], np.ones(found)


@dataclass(frozen=True)
class EncodedTexts:
    """Encoded rows of a plan that reads texts as counts of terms: the numbers, (rows, width), and the counts of each column."""

    numbers: NDArray[np.float64]
    counted: tuple[Counted, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> "EncodedTexts":
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            return EncodedTexts(self.numbers[rows], tuple(each.cut(start, max(start, stop)) for each in self.counted))
        chosen = np.arange(len(self))[rows]
        return EncodedTexts(self.numbers[chosen], tuple(each.take(chosen) for each in self.counted))


Encoded = NDArray[np.float64] | EncodedTexts
"""Encoded rows, (rows, width); with counts beside the numbers where a plan reads texts as counts of terms."""


def same_counts(one: Counted, other: Counted) -> bool:
    """Return whether two sets of rows have the same counts of the same terms."""
    pairs = ((one.starts, other.starts), (one.indices, other.indices), (one.counts, other.counts))
    return all(np.array_equal(mine, theirs) for mine, theirs in pairs)


def _bytes(content: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(bytearray(content or b"\0"), dtype=np.uint8)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join([each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)])
