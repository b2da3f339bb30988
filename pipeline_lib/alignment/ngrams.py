"""Character n-grams inside words, counted in hashed columns, compiled: as scikit-learn's ``HashingVectorizer(analyzer="char_wb")`` does.

Words are padded with a space on both sides; one with no more characters than an n-gram is itself the last of its n-grams. Hashes are
MurmurHash3 (Appleby 2011) of the UTF-8 bytes.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.compiled import compiled

WORD_END, TEXT_END = 32, 10  # code points between words and behind texts


def ngram_counts(texts: Sequence[str], shortest: int, longest: int, width: int) -> csr_array:
    """How often each n-gram of ``shortest`` to ``longest`` characters stands in each text; shape (texts, width), columns ascend."""
    content = "".join(" ".join(text.split()) + "\n" for text in texts)
    codes = np.frombuffer(content.encode("utf-32-le"), dtype=np.int32)
    return csr_array(_counted(codes, len(texts), shortest, longest, width), shape=(len(texts), width))


def products(source: csr_array, target: csr_array) -> Floats:
    """Inner products of every two rows, shape (source rows, target rows)."""
    result = np.zeros((source.shape[0], target.shape[0]))
    _multiply((source.indptr, source.indices, source.data), (target.indptr, target.indices, target.data), source.shape[1], result)
    return result


def unit_rows(table: csr_array) -> csr_array:
    """The table with every row scaled to unit length, but for empty ones."""
    lengths = np.sqrt(np.add.reduceat(np.append(table.data**2, 0.0), table.indptr[:-1]))
    return csr_array((table.data / np.repeat(lengths, np.diff(table.indptr)), table.indices, table.indptr), shape=table.shape)


@compiled()
def _counted(codes, texts, shortest, longest, width):  # type: ignore[no-untyped-def]
    """Values, columns and row starts of the table; ``codes`` are code points, every text ends with ``TEXT_END``."""
    found = np.empty(2 * (longest - shortest + 1) * codes.size, dtype=np.int32)  # a word has a space on both sides, one stands in ``codes``
    columns, values = np.empty_like(found), np.empty(found.size, dtype=np.float64)
    indptr = np.zeros(texts + 1, dtype=np.int32)
    first, row, hashed = 0, 0, 0
    for place in range(codes.size):
        if codes[place] != WORD_END and codes[place] != TEXT_END:
            continue
        if place > first:
            hashed = _hash_word(codes[first:place], shortest, longest, width, found, hashed)
        first = place + 1
        if codes[place] == TEXT_END:
            indptr[row + 1] = _count(found[:hashed], columns, values, indptr[row])
            row, hashed = row + 1, 0
    return values[: indptr[-1]].copy(), columns[: indptr[-1]].copy(), indptr


@compiled()
def _count(found, columns, values, k):  # type: ignore[no-untyped-def]
    """Write the distinct numbers of ``found``, ascending, and how often each is there, from place ``k`` on; returns the place behind."""
    found.sort()
    for h in range(found.size):
        if h == 0 or found[h] != found[h - 1]:
            columns[k], values[k] = found[h], 0.0
            k += 1
        values[k - 1] += 1.0
    return k


@compiled()
def _hash_word(word, shortest, longest, width, found, k):  # type: ignore[no-untyped-def]
    """Write the columns of a word's n-grams from place ``k`` on; returns the place behind."""
    data, starts = _utf8(word)
    size = starts.size - 1
    for n in range(shortest, longest + 1):
        for i in range(max(size - n, 0) + 1):
            found[k] = _murmur(data[starts[i] : starts[min(i + n, size)]]) % width
            k += 1
        if size <= n:
            break
    return k


@compiled()
def _utf8(word):  # type: ignore[no-untyped-def]
    """Bytes of the word between two spaces, and where each character starts, shape (characters + 3,)."""
    data, starts = np.empty(4 * word.size + 2, dtype=np.int64), np.empty(word.size + 3, dtype=np.int64)
    data[0], starts[0], end = WORD_END, 0, 1
    for i in range(word.size):
        code, starts[i + 1] = np.int64(word[i]), end
        more = int(code >= 0x80) + int(code >= 0x800) + int(code >= 0x10000)  # continuation bytes, six bits each
        data[end] = code if more == 0 else (0xFF00 >> more + 1) & 0xFF | code >> 6 * more
        for rest in range(more):
            data[end + 1 + rest] = 0x80 | (code >> 6 * (more - 1 - rest)) & 0x3F
        end += 1 + more
    data[end], starts[word.size + 1], starts[word.size + 2] = WORD_END, end, end + 1
    return data, starts


@compiled()
def _murmur(data):  # type: ignore[no-untyped-def]
    """Size of the signed 32-bit MurmurHash3 of some bytes, seed 0; products of 64 bits wrap around, their lower half is right."""
    h, k = 0, 0
    for i in range(data.size):
        k |= data[i] << 8 * (i % 4)
        if i % 4 == 3:
            h = ((_rotated(h ^ _mixed(k), 13)) * 5 + 0xE6546B64) & 0xFFFFFFFF
            k = 0
    h = h ^ _mixed(k) ^ data.size  # nothing is left over: the mix of 0 is 0
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> 16
    return h if h < 0x80000000 else 0x100000000 - h


@compiled()
def _mixed(k):  # type: ignore[no-untyped-def]
    return (_rotated((k * 0xCC9E2D51) & 0xFFFFFFFF, 15) * 0x1B873593) & 0xFFFFFFFF


@compiled()
def _rotated(k, bits):  # type: ignore[no-untyped-def]
    return ((k << bits) | (k >> (32 - bits))) & 0xFFFFFFFF


@compiled()
def _multiply(source, target, width, result):  # type: ignore[no-untyped-def]
    """Add the inner products of the rows of two sparse tables, each given as (row starts, columns, values), to ``result``."""
    # The target's cells of a column are a chain: the last one, the one before each, and whose row it is in.
    last, before, row_of = np.full(width, -1, dtype=np.int32), np.empty_like(target[1]), np.empty_like(target[1])
    for row in range(result.shape[1]):
        for k in range(target[0][row], target[0][row + 1]):
            before[k], row_of[k], last[target[1][k]] = last[target[1][k]], row, k
    for row in range(result.shape[0]):
        for k in range(source[0][row], source[0][row + 1]):
            other = last[source[1][k]]
            while other >= 0:
                result[row, row_of[other]] += source[2][k] * target[2][other]
                other = before[other]
