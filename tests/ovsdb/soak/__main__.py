# SPDX-License-Identifier: Apache-2.0

"""Mixed load on hnv-ovsdb: writers, monitors that come and go, slow readers,
compactions, and kill -9 again and again.

Everything acknowledged must be there after each kill, every copy that is kept
by monitoring must equal the database at each checkpoint, and the server's
memory must not grow.  Where nobody compacts the file by hand, the server does
so, and then everybody must be told differences alone after a kill.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

from server import Server
from watcher import Watcher
from wire import COLUMNS, SCHEMA, Connection, Gone, row_of
from writer import Writer

COMPACT_MIN = 10 << 20   # A file so large is compacted when it has doubled.
N_WRITERS = 4


class World:
    def __init__(self, options):
        self.seed = options.seed
        self.server = Server(options.server, options.folder)
        self.is_over = False
        self.may_write = asyncio.Event()
        self.n_passed = self.n_failed = 0
        self.writers = [Writer(i, self) for i in range(N_WRITERS)]
        kinds = [("monitor_cond_since", None), ("monitor_cond_since", 1),
                 ("monitor_cond", 2), ("monitor", None)]
        self.watchers = [Watcher(i, self, *kind)
                         for i, kind in enumerate(kinds)]
        self.watchers += [Watcher(10 + i, self, *kind, is_slow=True)
                          for i, kind in enumerate(kinds)]
        self.watchers += [Watcher(20 + i, self, *kind, is_fleeting=True)
                          for i, kind in enumerate(kinds)]
        self.memory = []        # KiB, at each checkpoint.
        self.compact_every = options.compact_every
        self.n_compactions = 0  # By the server itself.

    def check(self, is_right, what):
        if is_right:
            self.n_passed += 1
        else:
            self.n_failed += 1
            print("failed:", what, flush=True)

    async def wait(self, seconds):
        """Less, if all is over or a checkpoint comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.is_over:
            await asyncio.sleep(0.05)
            if not self.may_write.is_set():
                return

    async def settle(self):
        self.may_write.clear()
        for writer in self.writers:
            await asyncio.wait_for(writer.is_idle.wait(), 60)

    async def checkpoint(self, is_last=False):
        await self.settle()
        connection = await Connection.open(self.server.path)
        result = await connection.call("transact", "soak", {
            "op": "select", "table": "Item", "where": []})
        connection.close()
        rows = {row["_uuid"][1]: row_of(row) for row in result[0]["rows"]}
        known = {}
        for writer in self.writers:
            known.update(writer.rows)
        self.check(known == {row["key"]: row for row in rows.values()},
                   "the database is not what was acknowledged")
        for watcher in self.watchers:
            await watcher.compare(rows)
        self.memory.append(self.server.resident())
        self.n_compactions += int(await self.server.control(
            "coverage/read-counter", "file_compactions"))
        self.is_over = is_last
        self.may_write.set()
        return rows

    async def disturb(self):
        """A compaction every few seconds, whoever dies meanwhile."""
        while self.compact_every and not self.is_over:
            await asyncio.sleep(self.compact_every)
            with contextlib.suppress(OSError, Gone, RuntimeError,
                                     asyncio.TimeoutError):
                await self.server.control("ovsdb-server/compact")


async def play(world, options):
    end = time.monotonic() + options.seconds
    await world.server.start()
    world.may_write.set()
    tasks = [asyncio.ensure_future(t) for t in
             [w.run() for w in world.writers + world.watchers]
             + [world.disturb()]]
    while time.monotonic() < end and not world.n_failed:
        await asyncio.sleep(options.kill_every * 0.7)
        await world.checkpoint()
        await asyncio.sleep(options.kill_every * 0.3)
        world.server.kill()
        await world.server.start()
        for task in tasks:
            if task.done():
                task.result()
    await asyncio.sleep(1)
    rows = await world.checkpoint(is_last=True)
    await asyncio.gather(*tasks)
    world.check(world.server.stop() == 0, "the server does not end well")
    return rows


def make_file(path):
    with open(path + ".schema", "w") as schema:
        json.dump(SCHEMA, schema)
    subprocess.run(["ovsdb-tool", "create", path, path + ".schema"],
                   check=True)


def compare_file(world, rows):
    """In the eyes of somebody else."""
    output = subprocess.run(
        ["ovsdb-tool", "query", world.server.file, json.dumps(
            ["soak", {"op": "select", "table": "Item", "where": [],
                      "columns": ["_uuid", *COLUMNS]}])],
        check=True, capture_output=True).stdout
    found = {row["_uuid"][1]: row_of(row)
             for row in json.loads(output)[0]["rows"]}
    world.check(found == rows, "ovsdb-tool reads something else")


def compare_memory(world):
    """The load is the same all the time, and so is what it needs: medians of
    the first and the last third, with room for what is under way."""
    third = len(world.memory) // 3
    if not third:
        return
    before = statistics.median(world.memory[:third])
    after = statistics.median(world.memory[-third:])
    print("resident at checkpoints: %d KiB, then %d KiB" % (before, after))
    world.check(after <= before * 1.25 + 8192,
                "memory has grown from %d to %d KiB" % (before, after))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kill-every", type=float, default=20)
    parser.add_argument("--compact-every", type=float, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    make_file(os.path.join(options.folder, "soak.db"))

    async def run():
        world = World(options)
        try:
            rows = await play(world, options)
        finally:
            if world.server.process and world.server.is_up():
                world.server.kill()
        return world, rows

    world, rows = asyncio.run(run())
    compare_file(world, rows)
    compare_memory(world)
    resumed = sum(w.n_resumed for w in world.watchers)
    world.check(resumed > 0, "nobody was told differences alone")
    forgotten = sum(w.n_forgotten for w in world.watchers)
    if not options.compact_every:
        world.check(not forgotten, "somebody was told everything")
        # In ten minutes it has grown enough on any machine.
        size = os.path.getsize(os.path.join(options.folder, "soak.db"))
        world.check(world.n_compactions
                    or options.seconds < 300 and size < 2 * COMPACT_MIN,
                    "the file was never compacted: %d bytes" % size)
    print("%d transactions, %d durable; %d updates; %d starts; %d resumed, "
          "%d not"
          % (sum(w.n_acknowledged for w in world.writers),
             sum(w.n_durable for w in world.writers),
             sum(w.n_updates for w in world.watchers),
             world.server.n_starts, resumed, forgotten))
    print("%d passed, %d failed" % (world.n_passed, world.n_failed))
    sys.exit(1 if world.n_failed else 0)


main()
