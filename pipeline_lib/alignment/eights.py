"""Eight float32 numbers as one value of a compiled loop: what numba's vectorizer cannot lay out, written as LLVM's own vectors.

They are vector instructions wherever the machine has them, of 8 numbers or twice 4; and the order of a sum is the one that is written.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic, models, register_model
from numba.np.arrayobj import make_array

LANES = 8
LINE = 16  # float32 numbers in a cache line
NUMBER = ir.IntType(32)
VECTOR = ir.VectorType(ir.FloatType(), LANES)
FUSED = ("contract",)  # a product and a sum may be one instruction

Code = tuple[Any, Callable[..., Any]]  # an operation's signature, and what writes its code


class EightType(types.Type):
    """The type of such a value, for numba."""


@register_model(EightType)
class _EightModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: EightType) -> None:
        super().__init__(manager, kind, VECTOR)  # type: ignore[no-untyped-call]


EIGHT = EightType("Eight")


def operation(signed: Callable[..., Code]) -> Callable[..., Any]:
    """What compiled loops call: the function gets the arguments' types, and the one that it returns writes the code."""
    return intrinsic(signed)


@operation
def load(_typing: Any, array: Any, index: Any) -> Code:
    """Numbers ``array[index : index + 8]``, which need not be aligned."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature, values), align=4)

    return EIGHT(array, types.intp), code


@operation
def put(_typing: Any, array: Any, index: Any, eight: Any) -> Code:
    """Write ``array[index : index + 8]``."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature, values), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, eight), code


@operation
def prefetch_block(_typing: Any, array: Any, index: Any) -> Code:
    """Ask for the cache lines of ``array[index : index + 64]``, which may lie behind the end."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array, index = values
        for line in range(0, LANES * LANES, LINE):
            place = _place(context, builder, signature, (array, builder.add(index, index.type(line))))
            kind = ir.FunctionType(ir.VoidType(), [place.type, NUMBER, NUMBER, NUMBER])
            fetch = get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(fetch, [place, NUMBER(0), NUMBER(3), NUMBER(1)])  # to be read, into the nearest cache, data
        return context.get_dummy_value()

    return types.void(array, types.intp), code


@operation
def spread(_typing: Any, number: Any) -> Code:
    """Eight times the same number."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        one = builder.insert_element(VECTOR(ir.Undefined), values[0], NUMBER(0))
        return _shuffled(builder, one, one, [0] * LANES)

    return EIGHT(types.float32), code


@operation
def added_product(_typing: Any, total: Any, one: Any, other: Any) -> Code:
    """``total + one * other``."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fadd(values[0], builder.fmul(values[1], values[2], flags=FUSED), flags=FUSED)

    return EIGHT(EIGHT, EIGHT, EIGHT), code


@operation
def plus(_typing: Any, one: Any, other: Any) -> Code:
    """``one + other``."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fadd(*values)

    return EIGHT(EIGHT, EIGHT), code


@operation
def over(_typing: Any, one: Any, other: Any) -> Code:
    """``one / other``."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.fdiv(*values)

    return EIGHT(EIGHT, EIGHT), code


@operation
def totals(_typing: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Code:
    """The sums of eight eights."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        while len(values) > 1:  # neighbours are added, which leaves half as many eights, until each number is a sum
            pairs = list(zip(values[::2], values[1::2], strict=True))
            values = [builder.fadd(*(_shuffled(builder, *pair, list(range(first, 2 * LANES, 2))) for first in (0, 1))) for pair in pairs]
        return values[0]

    return EIGHT(*[EIGHT] * LANES), code


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Pointer to eight numbers of an array."""
    data = make_array(signature.args[0])(context, builder, values[0]).data
    return builder.bitcast(builder.gep(data, [values[1]]), VECTOR.as_pointer())


def _shuffled(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(one, other, ir.VectorType(NUMBER, LANES)(lanes))
