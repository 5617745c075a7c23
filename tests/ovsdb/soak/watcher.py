# SPDX-License-Identifier: Apache-2.0

"""A client that monitors, and keeps a copy of what it is told."""

import asyncio
import random

from wire import COLUMNS, Connection, Gone, merge, row_of

ZERO = "00000000-0000-0000-0000-000000000000"


class Watcher:
    """'method' is one of the three; 'only' a writer whose rows alone are of
    interest.  A slow one does not read for seconds at a time; a fleeting one
    leaves, and comes back as somebody else."""

    def __init__(self, number, world, method, only=None, is_slow=False,
                 is_fleeting=False):
        self.name = "%s %d%s" % (method, number, " slow" if is_slow else "")
        self.world, self.method, self.only = world, method, only
        self.is_slow, self.is_fleeting = is_slow, is_fleeting
        self.random = random.Random(world.seed * 1000 + 500 + number)
        self.copy = {}
        self.last = ZERO
        self.connection = None
        self.is_ready = False
        self.n_updates = self.n_resumed = self.n_forgotten = 0

    async def run(self):
        while not self.world.is_over:
            try:
                self.connection = await Connection.open(
                    self.world.server.path, self.notify)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            is_leaving = False
            try:
                await self.begin()
                is_leaving = await self.live()
            except Gone:
                pass
            finally:
                self.is_ready = False
                self.connection.close()
            # For what has been received already.
            await asyncio.sleep(0)
            if is_leaving:
                self.copy, self.last = {}, ZERO

    async def live(self):
        """Returns true if it goes of its own will."""
        stay = self.random.uniform(1, 6)
        while self.connection.is_open and not self.world.is_over:
            if self.is_slow and self.world.may_write.is_set():
                self.connection.may_read.clear()
                await self.world.wait(self.random.uniform(1, 5))
                self.connection.may_read.set()
            await self.world.wait(self.random.uniform(0.1, 1))
            stay -= 1
            if self.is_fleeting and stay < 0 \
                    and self.world.may_write.is_set():
                return True
        return False

    async def begin(self):
        request = {"columns": list(COLUMNS)}
        if self.only is not None and self.method != "monitor":
            request["where"] = [["writer", "==", self.only]]
        params = ["soak", self.name, {"Item": [request]}]
        if self.method == "monitor_cond_since":
            params.append(self.last)
        await self.connection.call("set_db_change_aware", True)
        result = await self.connection.call(self.method, *params)
        if self.method == "monitor_cond_since":
            is_known, self.last, result = result
            if is_known:
                self.n_resumed += 1
            else:
                self.n_forgotten += self.copy != {}
                self.copy = {}
        else:
            self.copy = {}
        self.apply(result)
        self.is_ready = True

    def notify(self, method, params):
        """The first updates may be behind the reply in the same bytes."""
        if method not in ("update", "update2", "update3"):
            self.world.check(False, "%s: was told %s" % (self.name, method))
            return
        asyncio.get_running_loop().call_soon(self.update, method, params)

    def update(self, method, params):
        self.n_updates += 1
        if method == "update3":
            self.last = params[1]
        self.apply(params[-1])

    def apply(self, updates):
        for uuid, update in updates.get("Item", {}).items():
            if "modify" in update:
                self.copy[uuid] = merge(self.copy[uuid], update["modify"])
            elif "new" in update:
                self.copy[uuid] = row_of(update["new"])
            elif "delete" in update or "old" in update:
                del self.copy[uuid]
            else:
                self.copy[uuid] = row_of(update.get("insert")
                                         or update.get("initial") or {})

    async def compare(self, rows):
        """Nobody writes.  What is under way may still come."""
        if self.only is not None and self.method != "monitor":
            rows = {u: r for u, r in rows.items()
                    if r["writer"] == self.only}
        for _ in range(1000):
            if self.is_ready and self.copy == rows:
                break
            await asyncio.sleep(0.02)
        self.world.check(self.is_ready and self.copy == rows,
                         "%s: its copy is another: %d rows, not %d"
                         % (self.name, len(self.copy), len(rows)))
