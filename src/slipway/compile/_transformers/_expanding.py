"""Compilers of transformers that make several features of one: bins, polynomials."""

from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures

from slipway.compile._draft import Draft, Features, Register
from slipway.plans import operations as op


def _bins(draft: Draft, model: KBinsDiscretizer, features: Features) -> Features:
    if model.dtype is not None and "64" not in str(model.dtype):
        raise draft.no(f"dtype={model.dtype}")
    registers = draft.all_numbers(features)
    draft.check_finite(registers)
    items: list[Register] = []
    for register, edges, count in zip(registers, model.bin_edges_, model.n_bins_, strict=True):
        inner = edges[1:-1]
        number = draft.emit(op.BINS, register, draft.constants(inner), len(inner))
        if model.encode == "ordinal":
            items.append(Register(number))
            continue
        positions = draft.constants([-1, *range(int(count))])
        first = draft.emit(op.ONE_HOT, number, positions, int(count), width=int(count))
        block = range(first, first + int(count))
        draft.zero_or_one.update(block)
        items.extend(map(Register, block))
    return Features(tuple(items), sparse=model.encode == "onehot")


def _polynomial(draft: Draft, model: PolynomialFeatures, features: Features) -> Features:
    registers = draft.all_numbers(features)
    draft.check_finite(registers)
    products: dict[tuple[int, ...], int] = {(i,): register for i, register in enumerate(registers)}

    def product(powers: tuple[int, ...]) -> int:
        if powers not in products:
            # Dense, the later factors are multiplied first; sparse, the earlier. It shows in the last bit from degree 3 on.
            rest, one = (powers[:-1], powers[-1]) if features.sparse else (powers[1:], powers[0])
            products[powers] = draft.emit(op.PRODUCT, product(rest), registers[one])
        return products[powers]

    combinations = model._combinations(
        n_features=len(registers),
        min_degree=model._min_degree,
        max_degree=model._max_degree,
        interaction_only=model.interaction_only,
        include_bias=model.include_bias,
    )
    one = draft.constants([1.0])
    items = [Register(product(powers) if powers else draft.emit(op.CONSTANT, at=one)) for powers in combinations]
    return Features(tuple(items), features.sparse)


EXPANDING = {KBinsDiscretizer: _bins, PolynomialFeatures: _polynomial}
