# SPDX-License-Identifier: Apache-2.0

"""The same random transactions to hnv-ovsdb, to ovsdb-server where there is
one, and to a naive model of RFC 7047: all answers, and from time to time all
rows, must be the same but for the UUIDs."""

import argparse
import collections
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from load import Load
from model import TABLES, Model, repr_of, schema

# Of which each is to have come about.
ERRORS = ("aborted", "constraint violation", "domain error", "range error",
          "referential integrity violation", "syntax error", "timed out")
NOBODY = "00000000-0000-0000-0000-00000000dead"


class Gone(Exception):
    """The server has died on that."""


class Peer:
    """A server, and what its UUIDs are called here."""

    def __init__(self, program, folder, name):
        self.name = name
        self.path = os.path.join(folder, name + ".sock")
        self.log = open(os.path.join(folder, name + ".log"), "wb")
        file = os.path.join(folder, name + ".db")
        subprocess.run(["ovsdb-tool", "create", file,
                        os.path.join(folder, "schema")], check=True)
        self.process = subprocess.Popen(
            [program, "--remote=punix:" + self.path, "--unixctl=none", file]
            if name == "ours" else
            [program, "--remote=punix:" + self.path,
             "--unixctl=" + self.path + ".ctl", file], stderr=self.log)
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(1000):
            if not self.socket.connect_ex(self.path):
                break
            time.sleep(0.01)
        self.socket.settimeout(20)
        self.uuids = {"u0": NOBODY}
        self.symbols = {NOBODY: "u0"}
        self.decoder = json.JSONDecoder()

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def transact(self, operations):
        named = {o["symbol"] for o in operations
                 if o.get("how") == "named"}
        params = ["twin", *(self.operation(o, named) for o in operations)]
        self.socket.sendall(json.dumps(
            {"id": 1, "method": "transact", "params": params}).encode())
        buffer = b""
        while True:
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise Gone(json.dumps(params))
            buffer += piece
            try:
                reply = self.decoder.decode(buffer.decode())
                break
            except ValueError:
                continue
        results = reply["result"]
        for operation, result in zip(operations, results):
            if operation["op"] == "insert" and result and "uuid" in result:
                self.know(operation["symbol"], result["uuid"][1])
        return [self.result(operations[i] if i < len(operations) else None,
                            result) for i, result in enumerate(results)]

    def know(self, symbol, uuid):
        """Also of what was not committed: it may be spoken of again."""
        self.uuids[symbol] = uuid
        self.symbols[uuid] = symbol

    # To JSON.

    def operation(self, operation, named):
        json_ = {k: v for k, v in operation.items()
                 if k not in ("symbol", "how")}
        table = operation.get("table")
        if operation.get("how") == "named":
            json_["uuid-name"] = operation["symbol"]
        if "row" in json_:
            json_["row"] = self.row(table, json_["row"], named)
        if "rows" in json_:
            json_["rows"] = [self.row(table, row, named)
                             for row in json_["rows"]]
        if operation["op"] == "wait":
            json_["timeout"] = 0
        if "where" in json_:
            json_["where"] = [
                [name, function, self.value(table, name, value, named)]
                for name, function, value in json_["where"]]
        if "mutations" in json_:
            json_["mutations"] = [
                [name, mutator, self.argument(table, name, value, named)]
                for name, mutator, value in json_["mutations"]]
        return json_

    def row(self, table, row, named):
        return {name: self.value(table, name, value, named)
                for name, value in row.items()}

    def argument(self, table, name, value, named):
        if isinstance(value, (dict, frozenset)):
            return self.value(table, name, value, named)
        return value

    def value(self, table, name, value, named):
        if name == "_uuid":
            return self.atom("uuid", value, named)
        column = TABLES[table][name]
        if isinstance(value, dict):
            return ["map", [[self.atom(column.key, k, named),
                             self.atom(column.value, v, named)]
                            for k, v in value.items()]]
        if isinstance(value, frozenset):
            return ["set", [self.atom(column.key, k, named)
                            for k in sorted(value)]]
        return self.atom(column.key, value, named)

    def atom(self, kind, value, named):
        if kind != "uuid":
            return value
        if value in named:
            return ["named-uuid", value]
        return ["uuid", self.uuids.get(value, NOBODY)]

    # From JSON.

    def result(self, operation, result):
        if result is None:
            return None
        if "error" in result:
            return {"error": result["error"]}
        if "uuid" in result:
            return {"uuid": self.symbols.get(result["uuid"][1])}
        if "rows" in result:
            return {"rows": [self.read_row(operation["table"], row)
                             for row in result["rows"]]}
        return result

    def read_row(self, table, row):
        return {name: self.read(TABLES[table].get(name), value)
                for name, value in row.items()}

    def read(self, column, value):
        """'column' None: _uuid."""
        if column and column.key == "real":
            return value + 0.0
        if column is None or column.kind == "scalar":
            return self.read_atom(value)
        if column.kind == "map":
            return {self.read_atom(k): self.read_atom(v)
                    for k, v in value[1]}
        if isinstance(value, list) and value[0] == "set":
            return frozenset(self.read_atom(v) for v in value[1])
        return frozenset({self.read_atom(value)})

    def read_atom(self, atom):
        if isinstance(atom, list):
            return self.symbols.get(atom[1], "?")
        return atom

    def known(self, value):
        """A row that was seen before its transaction failed has a UUID that
        the peer has not told."""
        if isinstance(value, str) and re.fullmatch("u[0-9]+", value):
            return value if value in self.uuids else "?"
        if isinstance(value, dict):
            return {self.known(k): self.known(v) for k, v in value.items()}
        if isinstance(value, (frozenset, list)):
            return type(value)(self.known(v) for v in value)
        return value


def comparable(results):
    found = []
    for result in results:
        if result and "rows" in result:
            found.append(sorted(repr_of(row) for row in result["rows"]))
        else:
            found.append(result)
    return found


def play(peers, seed, n, errors):
    """Returns the number of answers compared, and whether all were the same;
    counts errors by name."""
    model = Model()
    load = Load(seed, model)
    everything = [{"op": "select", "table": table, "where": [],
                   "columns": ["_uuid", *TABLES[table]]} for table in TABLES]
    n_same = n_written = 0
    for i in range(n):
        for operations in [load.transaction()] \
                + [everything] * (i % 20 == 19):
            expected = model.transact(operations)
            failed = [r["error"] for r in expected if r and "error" in r]
            errors.update(failed)
            n_written += not failed
            for peer in list(peers):
                try:
                    found = peer.transact(operations)
                except Gone as gone:
                    print("%s has died of %s" % (peer.name, gone))
                    if peer.name == "ours":
                        return n_same, False
                    # It has its faults; the model goes on.
                    peers.remove(peer)
                    peer.stop()
                    continue
                wanted = peer.known(expected)
                if comparable(found) != comparable(wanted):
                    print("failed: seed %d, transaction %d: %s"
                          % (seed, i, peer.name))
                    print(" ", json.dumps([peer.operation(o, ())
                                           for o in operations]))
                    for number, (a, b) in enumerate(zip(
                            comparable(found), comparable(wanted))):
                        if a != b:
                            print("  %d: %s, not %s" % (number, a, b))
                    if len(found) != len(expected):
                        print("  %s, not %s" % (found[-1], expected[-1]))
                    return n_same, False
                n_same += 1
    # Most are to do something.
    return n_same, n_written > n / 4


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("folder")
    parser.add_argument("--stock")
    parser.add_argument("--transactions", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("seed", options.seed)
    with open(os.path.join(options.folder, "schema"), "w") as file:
        json.dump(schema(), file)
    n_passed = n_failed = 0
    errors = collections.Counter()
    for seed in range(options.seed, options.seed + options.seeds):
        folder = os.path.join(options.folder, str(seed))
        os.mkdir(folder)
        os.link(os.path.join(options.folder, "schema"),
                os.path.join(folder, "schema"))
        peers = [Peer(options.ours, folder, "ours")]
        if options.stock:
            peers.append(Peer(options.stock, folder, "stock"))
        try:
            n, is_well = play(peers, seed, options.transactions,
                              errors)
        finally:
            for peer in peers:
                peer.stop()
        n_passed += n
        n_failed += not is_well
    print(", ".join("%d %s" % (n, name)
                    for name, n in sorted(errors.items())))
    for name in ERRORS:
        if not errors[name]:
            print("failed: no %s came about" % name)
            n_failed += 1
    print("%d passed, %d failed" % (n_passed, n_failed))
    sys.exit(1 if n_failed else 0)


main()
