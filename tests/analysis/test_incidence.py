import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from graphmind.analysis.incidence import Incidence

MATRICES = st.tuples(st.integers(0, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


def incidence(matrix):
    rows, columns = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix)))])
    return Incidence(starts=starts, columns=columns.astype(np.int32), width=matrix.shape[1])


def dense(rows):
    matrix = np.zeros((rows.height, rows.width), bool)
    matrix[np.repeat(np.arange(rows.height), np.diff(rows.starts)), rows.columns] = True
    return matrix.tolist()


@settings(deadline=None)
@given(MATRICES, st.randoms(use_true_random=False))
def test_taking_rows_is_taking_rows_of_the_matrix(matrix, random):
    rows = np.array(random.choices(range(len(matrix)), k=4) if len(matrix) else [], np.int64)

    assert dense(incidence(matrix).take(rows)) == matrix[rows].tolist()


@settings(deadline=None)
@given(MATRICES)
def test_transposing_is_transposing_the_matrix(matrix):
    assert dense(incidence(matrix).transposed()) == matrix.T.tolist()


@settings(deadline=None)
@given(MATRICES, st.data())
def test_renumbering_moves_columns_and_drops_those_without_a_number(matrix, data):
    width = matrix.shape[1]
    order = data.draw(st.permutations(range(width)))
    left = data.draw(st.integers(0, width))
    number = np.full(width, -1, np.int32)
    number[order[:left]] = np.arange(left)

    assert dense(incidence(matrix).renumber(number, left)) == matrix[:, order[:left]].tolist()


@settings(deadline=None)
@given(MATRICES, st.data())
def test_keeping_entries_clears_the_others(matrix, data):
    whole = incidence(matrix)
    kept = data.draw(arrays(np.bool_, len(whole.columns)))
    wanted = matrix.copy()
    wanted[matrix] = kept

    assert dense(whole.only(kept)) == wanted.tolist()
