# SPDX-License-Identifier: Apache-2.0

"""A client that writes rows of its own, and knows what they must be."""

import asyncio
import random
import string

from wire import COLUMNS, Connection, Gone, json_of, row_of

KEYS = 250          # That one writer has rows for.


class Writer:
    def __init__(self, number, world):
        self.number, self.world = number, world
        self.random = random.Random(world.seed * 1000 + number)
        self.rows = {}          # Acknowledged, by key.
        self.pending = None     # What they are if the last one is in force.
        self.n_acknowledged = self.n_durable = 0
        self.is_idle = asyncio.Event()

    async def run(self):
        while not self.world.is_over:
            try:
                connection = await Connection.open(self.world.server.path)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            try:
                await self.verify(connection)
                while not self.world.is_over:
                    if not self.world.may_write.is_set():
                        self.is_idle.set()
                        await self.world.may_write.wait()
                        self.is_idle.clear()
                        continue
                    await self.write(connection)
                    await asyncio.sleep(self.random.random() * 0.02)
            except Gone:
                pass
            finally:
                connection.close()
        self.is_idle.set()

    async def verify(self, connection):
        """Everything acknowledged is there; what was asked for last is there
        as a whole, or not at all."""
        result = await connection.call("transact", "soak", {
            "op": "select", "table": "Item",
            "where": [["writer", "==", self.number]],
            "columns": list(COLUMNS)})
        rows = {row["key"]: row_of(row) for row in result[0]["rows"]}
        if self.pending is not None and rows == self.pending:
            self.rows = self.pending
        self.pending = None
        self.world.check(rows == self.rows,
                         "writer %d: %d rows are there, %d were "
                         "acknowledged, or they are others"
                         % (self.number, len(rows), len(self.rows)))
        self.rows = rows

    async def write(self, connection):
        after = dict(self.rows)
        n = self.random.choice((1, 1, 1, 2, 5, 20))
        keys = self.random.sample(range(KEYS), n)
        operations = [self.operation(after, self.number * KEYS + key)
                      for key in keys]
        is_durable = self.random.random() < 0.3
        if is_durable:
            operations.append({"op": "commit", "durable": True})
        self.pending = after
        result = await connection.call("transact", "soak", *operations)
        errors = [r for r in result if r and "error" in r]
        counts = [r["count"] for r in result if r and "count" in r]
        self.world.check(not errors and all(c == 1 for c in counts),
                         "writer %d: %s" % (self.number, errors or counts))
        self.rows, self.pending = after, None
        self.n_acknowledged += 1
        self.n_durable += is_durable

    def operation(self, rows, key):
        where = [["key", "==", key]]
        choice = self.random.random()
        if key not in rows:
            rows[key] = row = {
                "key": key, "writer": self.number, "text": self.text(),
                "tags": frozenset(self.tags()), "props": self.props()}
            return {"op": "insert", "table": "Item", "row": {
                c: json_of(c, row[c]) for c in COLUMNS}}
        row = rows[key] = dict(rows[key])
        if choice < 0.2:
            del rows[key]
            return {"op": "delete", "table": "Item", "where": where}
        if choice < 0.6:
            row["text"] = self.text()
            return {"op": "update", "table": "Item", "where": where,
                    "row": {"text": row["text"]}}
        if choice < 0.8:
            tags = self.tags()
            row["tags"] = row["tags"] | tags
            return {"op": "mutate", "table": "Item", "where": where,
                    "mutations": [["tags", "insert",
                                   json_of("tags", tags)]]}
        row["tags"], row["props"] = frozenset(self.tags()), self.props()
        return {"op": "update", "table": "Item", "where": where,
                "row": {c: json_of(c, row[c]) for c in ("tags", "props")}}

    def text(self):
        size = self.random.choice((0, 10, 100, 1000, 3000))
        return "".join(self.random.choices(string.ascii_letters + "äß\"\\",
                                           k=size))

    def tags(self):
        return {self.random.randrange(40)
                for _ in range(self.random.randrange(6))}

    def props(self):
        return {self.random.choice("abcdefgh"): self.random.choice("xyz")
                for _ in range(self.random.randrange(5))}
