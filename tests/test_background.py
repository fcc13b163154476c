import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
import torch

from voiceswap.conversion.background import Background


def test_results_come_in_order_and_no_more_are_made_ahead_than_allowed():
    begun = []
    with Background(2) as background:
        results = background.ahead(lambda x: begun.append(x) or -x, range(20), most=3)
        for taken, result in enumerate(results):
            assert result == -taken and len(begun) <= taken + 4


def test_an_error_of_a_thread_is_raised_where_its_result_is_taken():
    with Background(1) as background:
        results = background.ahead(lambda x: 1 // x, [1, 0, 1], most=2)
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_a_stop_ends_what_threads_do_and_begins_nothing_more():
    done, started = [], threading.Event()

    def endless():
        while True:
            started.set()
            yield time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt), Background(1) as background:
        running = background.start(lambda: list(background.until_stopped(endless())))
        waiting = background.start(lambda: done.append(1))
        started.wait()
        raise KeyboardInterrupt
    assert isinstance(running.exception(), CancelledError)
    assert waiting.cancelled() and not done


def test_pytorch_computes_in_each_thread_alone_and_elsewhere_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with Background(2) as background:
            counts = background.ahead(lambda _: torch.get_num_threads(), range(8), most=8)
            assert list(counts) == [1] * 8
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 3
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
