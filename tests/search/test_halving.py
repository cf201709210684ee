from hypothesis import given
from hypothesis import strategies as st

from slipway.core.spec import Halving
from slipway.search.halving import Rungs

THIRDS = Halving(factor=3, min_share=0.1)


def goes_on(rungs: Rungs, share: float, loss: float) -> float | None:
    rungs.note(share, loss)
    return rungs.next_share(share, loss)


def test_without_halving_the_first_fit_is_of_all_rows_and_the_last():
    rungs = Rungs(None)
    assert rungs.shares == (1.0,)
    assert goes_on(rungs, 1.0, 0.3) is None


def test_the_best_third_goes_on_to_three_times_the_rows():
    rungs = Rungs(THIRDS)
    for loss in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        goes_on(rungs, rungs.shares[0], loss)
    assert goes_on(rungs, rungs.shares[0], 0.15) == rungs.shares[1]
    assert goes_on(rungs, rungs.shares[0], 0.25) is None


def test_whoever_is_judged_at_all_rows_is_done():
    assert goes_on(Rungs(THIRDS), 1.0, 0.0) is None


@given(losses=st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_the_best_so_far_always_goes_on_and_few_of_many_do(losses):
    rungs = Rungs(THIRDS)
    assert rungs.shares == (1 / 9, 1 / 3, 1)
    on = [goes_on(rungs, rungs.shares[0], loss) is not None for loss in losses]
    assert on[0]
    assert all(went for i, went in enumerate(on) if losses[i] < min(losses[:i], default=1.1))


def test_shares_are_judged_apart():
    rungs = Rungs(THIRDS)
    assert goes_on(rungs, rungs.shares[0], 0.5) and goes_on(rungs, rungs.shares[1], 0.9)


def test_where_few_rows_tell_nothing_not_all_go_on():
    rungs = Rungs(THIRDS)
    assert sum(goes_on(rungs, rungs.shares[0], 0.5) is not None for _ in range(30)) == 1
