# SPDX-License-Identifier: Apache-2.0
"""Writes to a table while others are shown it, and compares their copies with
what is there in the end.  snapshots.py SOCKET FILE, in which ovsdb-client's
output goes."""

import json
import random
import select
import socket
import subprocess
import sys
import time

N_ROWS = 12000
N_STEPS = 600
N_WATCHERS = 5
PATIENCE = 60
ZERO = "00000000-0000-0000-0000-000000000000"
METHODS = ["monitor", "monitor_cond", "monitor_cond_since"]


class Peer:
    """Strings of ours have no braces: where they balance, messages end."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.text = b""
        self.depth = 0

    def send(self, method, *params):
        self.sock.sendall(json.dumps({"id": method, "method": method,
                                      "params": params}).encode())

    def read(self, size):
        """Messages, if any have come to their end."""
        chunk = self.sock.recv(size)
        if not chunk:
            raise EOFError("the server has closed the connection")
        self.text += chunk
        self.depth += chunk.count(b"{") - chunk.count(b"}")
        if self.depth:
            return []
        text, self.text = self.text.decode(), b""
        messages, at = [], 0
        while at < len(text):
            message, at = json.JSONDecoder(
                object_pairs_hook=members_once).raw_decode(text, at)
            messages.append(message)
        return messages

    def is_readable(self):
        return bool(select.select([self.sock], [], [], 0)[0])

    def transact(self, *operations):
        self.send("transact", "t", *operations)
        messages = []
        while not messages:
            messages = self.read(1 << 20)
        result = messages[0]["result"]
        assert messages[0]["error"] is None, messages[0]
        assert len(result) == len(operations), result
        assert not any("error" in each for each in result), result
        return result


def members_once(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), "a member comes twice"
    return members


class Watcher(Peer):
    """A copy of the table, by one of the methods."""

    def __init__(self, path, chance):
        super().__init__(path)
        self.version = chance.randrange(len(METHODS))
        self.size = chance.choice([2000, 20000, 200000, 2000000])
        self.below = chance.choice([None, N_ROWS // 2]) if self.version \
            else None
        self.rows = {}
        self.has_begun = False
        request = {"columns": ["name", "n"]}
        if self.below:
            request["where"] = [["n", "<", self.below]]
        params = ["t", "m", {"T": [request], "Few": [{}]}]
        if self.version == 2:
            params.append(ZERO)
        self.send(METHODS[self.version], *params)

    def turn(self):
        """Reads a little."""
        if not self.is_readable():
            return
        for message in self.read(self.size):
            if message["id"]:
                assert not self.has_begun and message["error"] is None
                self.has_begun = True
                update = message["result"]
                if self.version == 2:
                    assert update[0] is False
                    update = update[2]
                assert "Few" in update
            else:
                assert self.has_begun, "an update before the reply"
                update = message["params"][-1]
            for uuid, row in update.get("T", {}).items():
                self.apply(uuid, row)

    def apply(self, uuid, row):
        if self.version == 0:
            assert ("old" in row) == (uuid in self.rows), row
            if "new" in row:
                self.rows[uuid] = row["new"]
            else:
                del self.rows[uuid]
        elif "delete" in row:
            del self.rows[uuid]
        elif "modify" in row:
            self.rows[uuid].update(row["modify"])
        else:
            assert uuid not in self.rows
            self.rows[uuid] = {"name": "", "n": 0}
            self.rows[uuid].update(row.get("initial") or row["insert"])

    def has(self, name):
        return any(row["name"] == name for row in self.rows.values())


class Writer(Peer):
    def __init__(self, path, chance):
        super().__init__(path)
        self.chance = chance
        self.n_names = 0
        self.names = []

    def insert(self):
        self.n_names += 1
        self.names.append("r%d" % self.n_names)
        return {"op": "insert", "table": "T",
                "row": {"name": self.names[-1], "pad": "x" * 300,
                        "n": self.chance.randrange(N_ROWS)}}

    def write_some(self):
        operations = []
        for _ in range(self.chance.randrange(1, 12)):
            at = self.chance.randrange(len(self.names))
            where = [["name", "==", self.names[at]]]
            kind = self.chance.randrange(4)
            if kind == 0:
                operations.append(self.insert())
            elif kind == 1:
                operations.append({"op": "delete", "table": "T",
                                   "where": where})
                self.names[at] = self.names[-1]
                self.names.pop()
            else:
                operations.append({
                    "op": "update", "table": "T", "where": where,
                    "row": {"n": self.chance.randrange(N_ROWS)}})
        self.transact(*operations)


def replay(path):
    """What ovsdb-client has printed, with --format=json, as a copy."""
    rows = {}
    with open(path, encoding="utf-8") as printed:
        for line in printed:
            if not line.endswith("\n"):
                break
            table = json.loads(line)
            uuid = None
            for row, action, name, n in table["data"]:
                uuid = row[1] if isinstance(row, list) else row or uuid
                if action == "delete":
                    del rows[uuid]
                elif action != "old":
                    assert (uuid in rows) == (action == "new"), action
                    rows[uuid] = {"name": name, "n": n}
    return rows


def main():
    path, monitored = sys.argv[1:]
    seed = int(time.time())
    chance = random.Random(seed)
    print("# seed", seed)
    writer = Writer(path, chance)
    writer.transact({"op": "insert", "table": "Few", "row": {"n": 1}})
    for _ in range(N_ROWS // 1000):
        writer.transact(*(writer.insert() for _ in range(1000)))
    with open(monitored, "wb") as output:
        client = subprocess.Popen(
            ["ovsdb-client", "--format=json", "--no-headings", "monitor",
             "unix:" + path, "t", "T", "name", "n"], stdout=output)
    watchers = [Watcher(path, chance) for _ in range(N_WATCHERS)]
    n_complete = n_left = 0
    for _ in range(N_STEPS):
        writer.write_some()
        for i, watcher in enumerate(watchers):
            watcher.turn()
            if chance.randrange(120) == 0:
                n_left += not watcher.has_begun
                n_complete += watcher.has_begun
                watcher.sock.close()
                watchers[i] = Watcher(path, chance)
    last = {"op": "insert", "table": "T", "row": {"name": "last", "n": 0}}
    writer.transact(last)
    end = time.monotonic() + PATIENCE
    for watcher in watchers:
        watcher.size = 1 << 22
        while not watcher.has("last") or watcher.is_readable():
            assert time.monotonic() < end, "the last row is not told"
            select.select([watcher.sock], [], [], 1)
            watcher.turn()
    while '"last"' not in open(monitored, encoding="utf-8").read():
        assert time.monotonic() < end, "ovsdb-client has not seen the last"
        time.sleep(0.1)
    rows = {row["_uuid"][1]: {"name": row["name"], "n": row["n"]}
            for row in writer.transact(
                {"op": "select", "table": "T", "where": [],
                 "columns": ["_uuid", "name", "n"]})[0]["rows"]}
    for watcher in watchers:
        assert watcher.rows == {
            uuid: row for uuid, row in rows.items()
            if watcher.below is None or row["n"] < watcher.below}, \
            "%s ends with another copy" % METHODS[watcher.version]
    assert replay(monitored) == rows, "ovsdb-client ends with another copy"
    client.terminate()
    client.wait()
    print("# %d rows; %d copies were complete, %d left alone before"
          % (len(rows), n_complete + len(watchers), n_left))
    assert n_left and n_complete


main()
