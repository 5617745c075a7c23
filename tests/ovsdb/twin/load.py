# SPDX-License-Identifier: Apache-2.0

"""Random transactions, on few enough rows and values that they meet."""

import random

from model import INT_MAX, INT_MIN, TABLES

NAMES = ["n%d" % i for i in range(12)]


class Load:
    def __init__(self, seed, model):
        self.random = random.Random(seed)
        self.model = model
        self.n_symbols = 0

    def transaction(self):
        """Operations, and for each of its inserts whether the row is given
        its UUID, a name, or neither."""
        self.fresh = {}         # Symbols inserted here, by table.
        # ovsdb-server 3.1.0 forgets weak references in rows that it writes
        # when what they lead to is deleted at the same time.
        n_rows = sum(map(len, self.model.tables.values()))
        self.may_delete = self.random.random() < (0.3 if n_rows < 40
                                                  else 0.7)
        n = self.random.choice((1, 1, 2, 3, 5, 8))
        operations = [self.operation() for _ in range(n)]
        # Names may be used before they are given.
        if self.random.random() < 0.2:
            self.random.shuffle(operations)
        return operations

    def operation(self):
        kinds = ["insert"] * 6 + ["select"] * 3 + ["wait", "comment"]
        if self.may_delete:
            kinds = ["delete"] * 5 + ["select"] * 2 + ["wait"]
        else:
            kinds += ["update"] * 5 + ["mutate"] * 6
        if self.random.random() < 0.02:
            return {"op": "abort"}
        kind = self.random.choice(kinds)
        if kind == "comment":
            return {"op": kind, "comment": "said %d" % self.random.randrange(9)}
        table = self.random.choice(
            ["T"] * 6 + ["C"] * 3 + ["W", "Few"])
        operation = {"op": kind, "table": table}
        self.is_spoiled = False     # One fault: which of two is told first
                                    # is nobody's to say.
        if kind == "insert":
            self.n_symbols += 1
            operation["symbol"] = "u%d" % self.n_symbols
            operation["how"] = self.random.choice(("named", "named", "plain"))
            if operation["how"] == "named":
                self.fresh.setdefault(table, []).append(operation["symbol"])
            operation["row"] = self.row(table, 0.5)
            if table == "T" and self.random.random() < 0.9:
                operation["row"]["name"] = self.random.choice(NAMES)
            return operation
        operation["where"] = self.where(table)
        if kind == "update":
            operation["row"] = self.row(table, 0.2)
            if self.random.random() < 0.95:
                operation["row"].pop("im", None)
        elif kind == "mutate":
            operation["mutations"] = self.mutations(table)
        elif kind in ("select", "wait"):
            operation["columns"] = self.random.sample(
                ["_uuid", *TABLES[table]],
                self.random.randint(1, min(4, len(TABLES[table]))))
        if kind == "wait":
            operation["until"] = self.random.choice(("==", "!="))
            operation["rows"] = self.rows(table, operation["columns"])
        return operation

    def rows(self, table, columns):
        some = self.random.sample(
            sorted(self.model.tables[table].items()),
            min(len(self.model.tables[table]), self.random.randrange(3)))
        return [{c: symbol if c == "_uuid" else row[c] for c in columns}
                for symbol, row in some]

    def row(self, table, part):
        return {name: self.value(table, name)
                for name in TABLES[table] if self.random.random() < part}

    def where(self, table):
        clauses = []
        for _ in range(self.random.choice((0, 1, 1, 1, 1, 2))):
            name = self.random.choice(["_uuid", "_uuid", *TABLES[table]])
            if table == "T" and self.random.random() < 0.4:
                name = "name"
            functions = ["==", "==", "==", "!=", "includes", "excludes"]
            if name == "_uuid":
                clauses.append((name, self.random.choice(functions[:4]),
                                self.symbol(table)))
                continue
            column = TABLES[table][name]
            if column.key in ("integer", "real") and (
                    column.kind == "scalar"
                    or column.kind == "set" and column.most == 1):
                functions += ["<", "<=", ">", ">="]
            function = self.random.choice(functions)
            value = self.value(table, name, bad=0)
            if function[0] in "<>" and value == frozenset():
                value = frozenset({1})
            clauses.append((name, function, value))
        return clauses

    def mutations(self, table):
        found = []
        for _ in range(self.random.choice((1, 1, 2))):
            name = self.random.choice(list(TABLES[table]))
            column = TABLES[table][name]
            # Which of several rows fails first is anybody's guess.
            if any(mutator[1] == "=" for _, mutator, _ in found):
                break
            if name == "im" and self.random.random() < 0.9:
                continue
            if column.kind != "scalar" and self.random.random() < 0.8 \
                    or column.kind == "map":
                mutator = self.random.choice(("insert", "delete"))
                argument = self.value(table, name, bad=0)
                if column.kind == "map" and mutator == "delete" \
                        and self.random.random() < 0.5:
                    argument = frozenset(argument)
                found.append((name, mutator, argument))
            elif column.key == "integer":
                mutator = self.random.choice(("+=", "-=", "*=", "/=", "%="))
                # By 0 and 1, ovsdb-server 3.1.0 finds too much, or dies.
                found.append((name, mutator, self.integer()
                              if mutator != "*="
                              else self.random.choice((2, 3))))
            elif column.key == "real":
                found.append((name, self.random.choice(("+=", "-=", "*=")),
                              float(self.random.randrange(-3, 4))))
        return found

    def integer(self):
        return self.random.choice((0, 1, 1, 2, 3, 5, -1, -2, 7, 10))

    def value(self, table, name, bad=0.03):
        column = TABLES[table][name]
        if column.kind == "scalar":
            return self.key(column, bad)
        most = column.most or 4
        n = self.random.randint(column.least, most)
        if column.most and column.most > 1 and self.spoil(bad):
            n, bad = most + 1, 0
        keys = {self.key(column, bad) for _ in range(n)} - {None}
        if column.kind == "set":
            return frozenset(keys)
        return {key: self.map_value(column) for key in sorted(keys)}

    def key(self, column, bad):
        if column.ref:
            return self.symbol(column.ref[0], bad)
        if column.key == "integer":
            if column.low is not None and self.spoil(bad):
                return column.high + 1
            if column.low is None and self.random.random() < 0.05:
                # The least of all, less one or times -1, is too much for
                # ovsdb-server 3.1.0, which wraps around, or dies.
                return self.random.choice((INT_MIN + 20, INT_MAX))
            return self.random.randrange(6)
        if column.key == "real":
            return self.random.randrange(-8, 8) / 4
        if column.key == "boolean":
            return self.random.random() < 0.5
        if column.enum:
            return "z" if self.spoil(bad) \
                else self.random.choice(sorted(column.enum))
        return self.random.choice(NAMES)

    def spoil(self, bad):
        if self.is_spoiled or self.random.random() >= bad:
            return False
        self.is_spoiled = True
        return True

    def map_value(self, column):
        if column.value_ref:
            return self.symbol(column.value_ref[0]) or "u0"
        return self.random.randrange(4)

    def symbol(self, table, bad=0.03):
        """A row's; sometimes of this transaction, sometimes nobody's."""
        known = sorted(self.model.tables[table])
        if self.random.random() < bad or not known:
            known = ["u0"]
        return self.random.choice(known + self.fresh.get(table, []) * 3)
