"""Blocks of pieces shared out among threads.

The kernels release the interpreter's lock, so plain threads use all cores. Each thread takes the
next block when it is done with one and keeps its own counts. As these are whole numbers, and what
a piece holds depends on its index alone, their sum does not depend on which thread took what.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

from unparrot.core.machine import available_cores
from unparrot.theory.graph.limits import whole

Room = TypeVar("Room")

MOST_THREADS = 1024


def thread_count(threads: int | None) -> int:
    """Return the number of threads to use: as given, else the cores this process may use.

    Raises
    ------
    BadInput
        If it is not a whole number from 1 to 1,024.
    """
    if threads is not None:
        return whole("the number of threads", threads, 1, MOST_THREADS)
    return available_cores()


def over_blocks(
    pieces: int,
    block: int,
    threads: int,
    new_room: Callable[[], Room],
    work: Callable[[Room, int, int, int], None],
) -> list[Room]:
    """Work through all blocks of pieces and return the room of each thread.

    Parameters
    ----------
    pieces
        Number of pieces.
    block
        Pieces in a block; the last one may be shorter.
    threads
        Number of threads; no more are started than there are blocks.
    new_room
        Makes what one thread works in.
    work
        Called with the room, the number of the block, and its first piece and the one after its
        last. An exception in it ends the work of all threads and is raised here.
    """
    blocks = -(-pieces // block)
    numbers, lock, stopped = count(), threading.Lock(), threading.Event()

    def drain() -> Room:
        room = new_room()
        try:
            while not stopped.is_set():
                with lock:
                    number = next(numbers)
                if number >= blocks:
                    break
                work(room, number, number * block, min(pieces, (number + 1) * block))
        except BaseException:
            stopped.set()
            raise
        return room

    threads = min(threads, blocks)
    if threads == 1:
        return [drain()]
    with ThreadPoolExecutor(threads, thread_name_prefix="skill-graph") as pool:
        running = [pool.submit(drain) for _ in range(threads)]
        try:
            return [future.result() for future in running]
        finally:
            stopped.set()
