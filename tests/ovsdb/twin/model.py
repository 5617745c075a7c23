# SPDX-License-Identifier: Apache-2.0

"""RFC 7047's transactions, as naively as they can be written: dictionaries of
rows, everything copied before each transaction, every check over every row.

Rows have symbols ("u1", "u2", ...) where OVSDB has UUIDs.  Values are Python's:
a scalar, a frozenset, or a dict.
"""

import copy

INT_MIN, INT_MAX = -2**63, 2**63 - 1


class Failure(Exception):
    """An <error>, by its name."""


class Column:
    """'kind' is "scalar", "set" or "map"; of a set and a map 'least' to 'most'
    elements.  'ref' and 'value_ref' are (table, "strong" or "weak")."""

    def __init__(self, key, value=None, kind="scalar", least=0, most=None,
                 low=None, high=None, enum=None, ref=None, value_ref=None,
                 mutable=True):
        self.key, self.value, self.kind = key, value, kind
        self.least, self.most = least, most
        self.low, self.high, self.enum = low, high, enum
        self.ref, self.value_ref, self.mutable = ref, value_ref, mutable

    def base(self, atom, ref, limits):
        base = {"type": atom}
        if ref:
            base["refTable"], base["refType"] = ref
        if limits and self.low is not None:
            base["minInteger"], base["maxInteger"] = self.low, self.high
        if limits and self.enum:
            base["enum"] = ["set", sorted(self.enum)]
        return base

    def schema(self):
        whole = {"key": self.base(self.key, self.ref, True)}
        if self.kind == "map":
            whole["value"] = self.base(self.value, self.value_ref, False)
        if self.kind != "scalar":
            whole["min"] = self.least
            whole["max"] = self.most or "unlimited"
        return {"type": whole, "mutable": self.mutable}

    def default(self):
        if self.kind == "map":
            return {}
        if self.kind == "set":
            return frozenset()
        return {"integer": 0, "real": 0.0, "boolean": False, "string": "",
                "uuid": None}[self.key]

    def check_key(self, key):
        if self.low is not None and not self.low <= key <= self.high \
                or self.enum and key not in self.enum:
            raise Failure("constraint violation")

    def check(self, value):
        """What a peer sends as a value of this column."""
        keys = [value] if self.kind == "scalar" else list(value)
        if self.kind != "scalar" and self.most and len(keys) > self.most:
            raise Failure("syntax error")
        for key in keys:
            self.check_key(key)


TABLES = {
    "T": {
        "name": Column("string"),
        "i": Column("integer", low=-50, high=50),
        "big": Column("integer"),
        "oi": Column("integer", kind="set", most=1),
        "si": Column("integer", kind="set"),
        "s3": Column("integer", kind="set", most=3),
        "r": Column("real"),
        "b": Column("boolean"),
        "en": Column("string", kind="set", enum={"a", "b", "c"}),
        "m": Column("string", "integer", kind="map"),
        "im": Column("integer", mutable=False),
        "kids": Column("uuid", kind="set", ref=("C", "strong")),
        "km": Column("string", "uuid", kind="map", value_ref=("C", "strong")),
        "weak": Column("uuid", kind="set", ref=("T", "weak")),
        "wm": Column("string", "uuid", kind="map", value_ref=("W", "weak")),
    },
    "C": {
        "n": Column("integer"),
        "next": Column("uuid", kind="set", most=1, ref=("C", "strong")),
    },
    "W": {"n": Column("integer")},
    "Few": {"n": Column("integer")},
}
ROOTS = {"T", "W", "Few"}
INDEXES = {"T": [("name",), ("i", "b")]}
MAX_ROWS = {"Few": 4}


def schema():
    tables = {}
    for name, columns in TABLES.items():
        table = {"columns": {c: d.schema() for c, d in columns.items()},
                 "isRoot": name in ROOTS}
        if name in INDEXES:
            table["indexes"] = [list(i) for i in INDEXES[name]]
        if name in MAX_ROWS:
            table["maxRows"] = MAX_ROWS[name]
        tables[name] = table
    return {"name": "twin", "version": "1.0.0", "tables": tables}


class Model:
    def __init__(self):
        self.tables = {name: {} for name in TABLES}

    def transact(self, operations):
        """Results, with None after a failure, and one more for a commit that
        fails.  An operation is a dict; "symbol" of an insert is the new
        row's."""
        before = copy.deepcopy(self.tables)
        results = []
        try:
            for operation in operations:
                results.append(getattr(self, operation["op"])(operation))
        except Failure as failure:
            results.append({"error": str(failure)})
            results += [None] * (len(operations) - len(results))
            self.tables = before
            return results
        try:
            self.commit_all(before)
        except Failure as failure:
            results.append({"error": str(failure)})
            self.tables = before
        return results

    # Operations.

    def insert(self, operation):
        columns = TABLES[operation["table"]]
        row = {name: column.default() for name, column in columns.items()}
        for name, value in operation["row"].items():
            columns[name].check(value)
            row[name] = value
        self.tables[operation["table"]][operation["symbol"]] = row
        return {"uuid": operation["symbol"]}

    def select(self, operation):
        rows = []
        for symbol in self.find(operation):
            row = self.tables[operation["table"]][symbol]
            rows.append({name: symbol if name == "_uuid" else row[name]
                         for name in operation["columns"]})
        return {"rows": distinct(rows)}

    def update(self, operation):
        columns = TABLES[operation["table"]]
        for name, value in operation["row"].items():
            columns[name].check(value)
        for name in operation["row"]:
            if not columns[name].mutable:
                raise Failure("constraint violation")
        found = self.find(operation)
        for symbol in found:
            self.tables[operation["table"]][symbol].update(operation["row"])
        return {"count": len(found)}

    def mutate(self, operation):
        columns = TABLES[operation["table"]]
        for name, _, _ in operation["mutations"]:
            if not columns[name].mutable:
                raise Failure("constraint violation")
        found = self.find(operation)
        for symbol in found:
            row = self.tables[operation["table"]][symbol]
            for name, mutator, argument in operation["mutations"]:
                row[name] = mutated(columns[name], row[name], mutator,
                                    argument)
        return {"count": len(found)}

    def delete(self, operation):
        found = self.find(operation)
        for symbol in found:
            del self.tables[operation["table"]][symbol]
        return {"count": len(found)}

    def wait(self, operation):
        rows = self.select(operation)["rows"]
        is_equal = sorted(map(repr_of, rows)) == sorted(
            map(repr_of, distinct(operation["rows"])))
        if is_equal != (operation["until"] == "=="):
            raise Failure("timed out")
        return {}

    def comment(self, operation):
        return {}

    def abort(self, operation):
        raise Failure("aborted")

    def find(self, operation):
        columns = TABLES[operation["table"]]
        found = []
        for symbol, row in self.tables[operation["table"]].items():
            if all(matches(columns.get(name), symbol if name == "_uuid"
                           else row[name], function, argument)
                   for name, function, argument in operation["where"]):
                found.append(symbol)
        return found

    # The commit.

    def commit_all(self, before):
        if self.tables == before:
            return
        self.check_strong()
        self.collect()
        self.drop_weak()
        for name, most in MAX_ROWS.items():
            if len(self.tables[name]) > most:
                raise Failure("constraint violation")
        for name, indexes in INDEXES.items():
            for index in indexes:
                seen = [repr([row[c] for c in index])
                        for row in self.tables[name].values()]
                if len(seen) != len(set(seen)):
                    raise Failure("constraint violation")

    def references(self, kind):
        """(table, row's symbol, column, target's table, target)."""
        for table, columns in TABLES.items():
            for symbol, row in self.tables[table].items():
                for name, column in columns.items():
                    value = row[name]
                    if column.ref and column.ref[1] == kind:
                        for target in value:
                            yield (table, symbol, name, column.ref[0],
                                   target)
                    if column.value_ref and column.value_ref[1] == kind:
                        for target in value.values():
                            yield (table, symbol, name, column.value_ref[0],
                                   target)

    def check_strong(self):
        for _, _, _, table, target in self.references("strong"):
            if target not in self.tables[table]:
                raise Failure("referential integrity violation")

    def collect(self):
        while True:
            held = {(table, target) for t, s, _, table, target
                    in self.references("strong") if (t, s) != (table, target)}
            loose = [(table, symbol) for table in TABLES
                     if table not in ROOTS
                     for symbol in self.tables[table]
                     if (table, symbol) not in held]
            if not loose:
                return
            for table, symbol in loose:
                del self.tables[table][symbol]

    def drop_weak(self):
        for table, symbol, name, target_table, target \
                in list(self.references("weak")):
            if target in self.tables[target_table]:
                continue
            row = self.tables[table][symbol]
            if isinstance(row[name], dict):
                row[name] = {k: v for k, v in row[name].items()
                             if v != target}
            else:
                row[name] = row[name] - {target}


def elements(value):
    """Of a set or a map, or of a scalar as a set of one."""
    if isinstance(value, dict):
        return set(value.items())
    return set(value) if isinstance(value, frozenset) else {value}


def matches(column, value, function, argument):
    mine, its = elements(value), elements(argument)
    if function == "==":
        return mine == its
    if function == "!=":
        return mine != its
    if function == "includes":
        return its <= mine
    if function == "excludes":
        return not its & mine
    # Of a set only one that may have one element at most; empty: no.
    if not mine or not its:
        return False
    a, b = next(iter(mine)), next(iter(its))
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[function]


def mutated(column, value, mutator, argument):
    if mutator == "insert":
        if column.kind == "map":
            value = {**argument, **value}
        else:
            value = value | argument
    elif mutator == "delete":
        if column.kind == "map" and isinstance(argument, dict):
            value = {k: v for k, v in value.items()
                     if argument.get(k, None) != v}
        elif column.kind == "map":
            value = {k: v for k, v in value.items() if k not in argument}
        else:
            value = value - argument
    elif column.kind == "scalar":
        return computed(column, value, mutator, argument)
    else:
        results = [computed(column, v, mutator, argument) for v in
                   sorted(value)]
        if len(set(results)) != len(results):
            raise Failure("constraint violation")
        return frozenset(results)
    if column.most and len(value) > column.most:
        raise Failure("constraint violation")
    return value


def computed(column, value, mutator, argument):
    if mutator in ("/=", "%=") and not argument:
        raise Failure("domain error")
    if column.key == "real":
        result = {"+=": value + argument, "-=": value - argument,
                  "*=": value * argument}[mutator] if mutator != "/=" \
            else value / argument
        result += 0.0   # To ovsdb-server, 0 and -0 are two.
    else:
        # As C has it: towards zero.
        quotient = abs(value) // abs(argument or 1)
        if (value < 0) != (argument < 0):
            quotient = -quotient
        result = {"+=": value + argument, "-=": value - argument,
                  "*=": value * argument, "/=": quotient,
                  "%=": value - quotient * argument}[mutator]
        if not INT_MIN <= result <= INT_MAX:
            raise Failure("range error")
    column.check_key(result)
    return result


def repr_of(row):
    """Zero has no sign here."""
    row = {name: value + 0.0 if isinstance(value, float) else value
           for name, value in row.items()}
    return repr(sorted((name, repr(sorted(elements(value), key=repr))
                        if isinstance(value, (dict, frozenset))
                        else repr(value)) for name, value in row.items()))


def distinct(rows):
    """<row>s are a set where two of them are not to be told apart."""
    return list({repr_of(row): row for row in rows}.values())
