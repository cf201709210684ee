"""Drafts of plans, to which the compilers of steps add columns, operations and checks; nothing is computed yet."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slipway.errors import NotCompilable
from slipway.plans import operations as op
from slipway.plans.columns import NumberColumn, TextColumn
from slipway.plans.program import Function, Operations, Program, Stage
from slipway.plans.terms import Terms, TermSums, Weighing
from slipway.plans.texts import TermsColumn


@dataclass(frozen=True)
class Register:
    """A feature that is computed: a float64 of each row."""

    number: int


@dataclass(frozen=True)
class Raw:
    """A feature that is a raw column; the step that takes the column decides whether it is a number or a text.

    `replaced` maps texts to the texts or fill values that later steps see in their place.
    """

    column: int
    replaced: tuple[tuple[object, object], ...] = ()


@dataclass(frozen=True)
class Time:
    """A feature that is a time: a register holds it as a whole number of `unit` since 1970, or NOT_A_TIME.

    `unit` is a unit of numpy's datetime64, such as D for days.
    """

    register: int
    unit: str


@dataclass(frozen=True, eq=False)
class TermMatrix:
    """The weighed counts of terms of a column of texts: a sparse matrix that a vectorizer gives, equal to itself alone.

    Attributes:
        column: the number of the column among those that are read as counts of terms.
        width: the number of terms.
        weighings: what is made of the counts.
    """

    column: int
    width: int
    weighings: tuple[Weighing, ...] = ()


@dataclass(frozen=True)
class Term:
    """A feature that is the weighed count of one term; it has a register where something reads it."""

    matrix: TermMatrix
    index: int


Feature = Register | Raw | Time | Term


@dataclass(frozen=True)
class Features:
    """The features that one step hands to the next.

    `sparse` says whether scikit-learn would hold them in a sparse matrix, which some steps treat differently.
    """

    items: tuple[Feature, ...]
    sparse: bool = False

    def take(self, indices: Sequence[int]) -> "Features":
        """Return the features at these indices, in their order."""
        return Features(tuple(self.items[i] for i in indices), self.sparse)


@dataclass
class Draft:
    """Columns, registers and operations so far. Each register is written once; `pack` copies into new registers.

    `whole` are the registers of times: whole numbers below 2^34 in absolute value, or NaN.
    """

    names: tuple[str, ...]
    numbers: dict[int, int] = field(default_factory=dict)
    no_bools: set[int] = field(default_factory=set)
    texts: dict[TextColumn, int] = field(default_factory=dict)
    terms: dict[TermsColumn, int] = field(default_factory=dict)
    zero_or_one: set[int] = field(default_factory=set)
    times: set[int] = field(default_factory=set)
    whole: set[int] = field(default_factory=set)
    _matrices: dict[TermMatrix, dict[int, int]] = field(default_factory=dict)
    _term_sums: list[TermSums] = field(default_factory=list)
    _finite: set[int] = field(default_factory=set)
    _count: int = 0
    _constants: list[float] = field(default_factory=list)
    _operations: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    _stages: list[Stage] = field(default_factory=list)
    _reasons: list[str] = field(default_factory=list)
    _checked: set[tuple[int, int]] = field(default_factory=set)
    _steps: list[str] = field(default_factory=list)

    @contextmanager
    def inside(self, step: str) -> Iterator[None]:
        """Add the name of a step to the path that messages show, within the block."""
        self._steps.append(step)
        yield
        self._steps.pop()

    @property
    def where(self) -> str:
        """The path to the step that is being compiled."""
        return " → ".join(self._steps) or "the model"

    def no(self, why: str) -> NotCompilable:
        """Return the error that says why this step is not compiled."""
        return NotCompilable(self.where, why)

    def constants(self, values: Iterable[float]) -> int:
        """Keep numbers and return where they start."""
        start = len(self._constants)
        self._constants.extend(float(value) for value in values)
        return start

    def emit(self, code: int, source: int = 0, at: int = 0, more: int = 0, width: int = 1) -> int:
        """Add an operation and return the first of the registers that it writes."""
        first = self._count
        self._count += width
        self._operations.append((code, first, source, at, more))
        return first

    def number(self, feature: Feature) -> int:
        """Return the register of a feature's number. Raises NotCompilable for texts and times."""
        if isinstance(feature, Register):
            return feature.number
        if isinstance(feature, Time):
            raise self.no("times are used as numbers")
        if isinstance(feature, Term):
            return self._term(feature)
        if feature.replaced:
            raise self.no(f"texts of column '{self.names[feature.column]}' are used as numbers")
        if feature.column not in self.numbers:
            self.numbers[feature.column] = self.emit(op.LOAD, at=len(self.numbers))
        return self.numbers[feature.column]

    def time(self, feature: Raw) -> int:
        """Return the register of a column's time, in whole seconds since 1970."""
        self.times.add(feature.column)
        return self.number(feature)

    def all_numbers(self, features: Features) -> list[int]:
        """Return the registers of the features' numbers."""
        return [self.number(feature) for feature in features.items]

    def refuse_bools(self, feature: Feature) -> None:
        """Leave rows with a truth value in this column to the original: numpy computes its functions of them in float16."""
        if isinstance(feature, Raw):
            self.no_bools.add(feature.column)

    def text(self, column: TextColumn) -> int:
        """Return the register of a text column's code."""
        if column not in self.texts:
            # Texts are encoded after the numbers, of which there may be more to come: counted from -1 down until then.
            self.texts[column] = self.emit(op.LOAD, at=-1 - len(self.texts))
        return self.texts[column]

    def term_column(self, column: TermsColumn) -> int:
        """Return the number of a column that is read as counts of terms."""
        return self.terms.setdefault(column, len(self.terms))

    def term_sums(self, matrix: TermMatrix, weights: NDArray[np.float64]) -> list[int]:
        """Return the registers of weighted sums of terms; weights: (terms, sums)."""
        first = self._count
        self._count += weights.shape[1]
        self._term_sums.append(TermSums(matrix.column, matrix.weighings, np.ascontiguousarray(weights), first))
        registers = range(first, self._count)
        self._finite.update(registers)
        return list(registers)

    def _term(self, term: Term) -> int:
        places = self._matrices.setdefault(term.matrix, {})
        if term.index not in places:
            places[term.index] = self._count
            self._finite.add(self._count)
            self._count += 1
        return places[term.index]

    def check(self, code: int, register: int, why: str, more: int = 0) -> None:
        """Refuse rows on which a check of a register fails; the first step that asks for a check is named in its reason."""
        if register in self.zero_or_one or register in self._finite or (code, register) in self._checked:
            return
        self._checked |= {(code, register), (op.NOT_INFINITE, register)} if code == op.FINITE else {(code, register)}
        self._operations.append((code, register, register, len(self._reasons), more))
        self._reasons.append(f"{self.where}: {why}")

    def check_finite(self, registers: Sequence[int], *, nan: bool = False) -> None:
        """Refuse rows in which a register is infinite, or missing unless nan."""
        for register in registers:
            if nan:
                self.check(op.NOT_INFINITE, register, "an infinite value")
            else:
                self.check(op.FINITE, register, "a missing or infinite value")

    def apply(self, function: np.ufunc, registers: Sequence[int]) -> list[int]:
        """Apply one of numpy's own functions, by numpy, so that the last bit is the same, and return the new registers."""
        self._close()
        first = self._count
        self._count += len(registers)
        self._stages.append(Function(function, tuple(registers), first))
        return list(range(first, self._count))

    def pack(self, registers: Sequence[int]) -> int:
        """Return the first of registers that follow each other and hold these numbers; copies are made where needed."""
        if registers and list(registers) == list(range(registers[0], registers[0] + len(registers))):
            return registers[0]
        first = self._count
        for register in registers:
            self.emit(op.COPY, register)
        return first

    def program(self) -> Program:
        """Return what has been drafted."""
        self._close()
        for stage in self._stages:
            if isinstance(stage, Operations):
                loads = (stage.table[:, 0] == op.LOAD) & (stage.table[:, 3] < 0)
                stage.table[loads, 3] = len(self.numbers) - 1 - stage.table[loads, 3]
        stages = [
            *self._term_stages(),
            *self._term_sums,
            *self._stages,
        ]  # terms are read from the row alone, so before the rest
        return Program(tuple(stages), np.array(self._constants or [0.0]), max(self._count, 1), tuple(self._reasons))

    def number_columns(self) -> list[NumberColumn]:
        """The columns that are encoded as numbers, in their order."""
        return [NumberColumn(column, column not in self.no_bools, column in self.times) for column in self.numbers]

    def _term_stages(self) -> Iterator[Stage]:
        for matrix, registers in self._matrices.items():
            places = np.full(matrix.width, -1, dtype=np.int64)
            places[list(registers)] = list(registers.values())
            yield Terms(matrix.column, matrix.weighings, places)

    def _close(self) -> None:
        if self._operations:
            self._stages.append(Operations(np.array(self._operations, dtype=np.int64)))
            self._operations = []
