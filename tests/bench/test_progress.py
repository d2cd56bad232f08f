"""The progress of long measurements."""

import io

from tests.bench.progress import EVERY, Progress


def test_a_line_is_printed_when_it_is_due_and_the_count_is_read_only_then() -> None:
    now, out, reads = [0.0], io.StringIO(), list[float]()
    progress = Progress("devices", 1000, lambda: now[0], out)

    def count() -> int:
        reads.append(now[0])
        return 600

    for seconds in (0.0, EVERY - 1, EVERY, EVERY + 1, 2.5 * EVERY):
        now[0] = seconds
        progress.report(count)
    assert reads == [EVERY, 2.5 * EVERY]
    assert out.getvalue() == "      10 s   600 of 1,000 devices\n      25 s   600 of 1,000 devices\n"
