# SPDX-License-Identifier: Apache-2.0
"""The C client library of Open vSwitch, which ovn-controller-vtep, vtep-ctl,
ovn-northd and ovs-vswitchd share.  clients*.test run those; this is what they
say, and rely on, message by message."""

import itertools
import json

import wire
from wire import ZERO, check, delete, expect, expect_equal, insert, mutate

DATABASE = "hardware_vtep"
DATABASE_COLUMNS = ["cid", "connected", "index", "leader", "model", "name",
                    "schema", "sid"]


class Idl(wire.Peer):
    def __init__(self, sock):
        super().__init__(sock)
        self.ids = itertools.count(1)

    def encode(self, message):
        return json.dumps(message, separators=(",", ":"))

    def new_id(self):
        return next(self.ids)

    def start(self):
        """Up to the database's rows: its tables and their columns come from
        _Server's row of it."""
        expect_equal(self.result("get_schema", "_Server")["name"], "_Server")
        self.result("set_db_change_aware", True)
        tables = self.result(
            "monitor_cond", "_Server", ["monid", "_Server"],
            {"Database": [{"columns": DATABASE_COLUMNS}]})
        row = next(row["initial"] for row in tables["Database"].values()
                   if row["initial"]["name"] == DATABASE)
        schema = json.loads(row["schema"])
        self.monitored = {
            table: [{"columns": sorted(columns["columns"])}]
            for table, columns in schema["tables"].items()}
        found, self.last, tables = self.result(
            "monitor_cond_since", DATABASE, ["monid", DATABASE],
            self.monitored, ZERO)
        expect_equal(found, False)
        return row, tables


def update_of(idl, table, row):
    """The next one that has the row."""
    while True:
        tables = idl.notification("update3")["params"][2]
        if row[1] in tables.get(table, {}):
            return tables


@check("idl.start")
def start(server):
    with Idl.dial(server) as idl:
        row, tables = idl.start()
        expect_equal(row["model"] if "model" in row else "standalone",
                     "standalone")
        expect_equal([row["connected"], row["leader"]], [True, True])
        expect("Physical_Switch" in tables, tables)


@check("idl.update_before_reply")
def update_before_reply(server):
    """A commit is complete, for it, once the reply is there: rows have to have
    changed by then."""
    with Idl.dial(server) as idl:
        idl.start()
        idl.settle()
        name = wire.new_name()
        switch = idl.transact(insert("Logical_Switch", {"name": name}),
                              {"op": "comment", "comment": "idl"}
                              )[0]["uuid"]
        updates = [message["params"] for message in idl.heard]
        expect([["monid", DATABASE], {"Logical_Switch": {
            switch[1]: {"insert": {"name": name}}}}]
            in [params[::2] for params in updates], updates)


@check("idl.order_of_tables", unlike_stock="its order is that of a hash")
def order_of_tables(server):
    """Those that refer to others before those, whatever the request's order:
    the Python library's parser turns round what collides, and its indexes of
    references, which ovsdbapp makes by itself, fail on the wrong one."""
    names = ["Ucast_Macs_Remote", "Physical_Locator", "Logical_Switch"]
    for i, requested in enumerate(itertools.permutations(names)):
        server.new_switch("192.0.2.%d" % (60 + i))
        with Idl.dial(server) as idl:
            tables = idl.result(
                "monitor_cond_since", DATABASE, "order",
                {table: [{"columns": ["_version"]}] for table in requested},
                ZERO)[2]
            switch, _ = server.new_switch("192.0.2.%d" % (70 + i))
            update = update_of(idl, "Logical_Switch", switch)
            for seen in tables, update:
                expect_equal(list(seen)[0], names[0])


@check("idl.monitor_cond_change")
def monitor_cond_change(server):
    """Rows that come and go with a condition, before the reply."""
    name = wire.new_name()
    with Idl.dial(server) as idl:
        rows = [result["uuid"][1] for result in idl.transact(*[
            insert("Logical_Switch", {"name": name + str(i)})
            for i in range(3)])]

        def change(*numbers):
            idl.result("monitor_cond_change", "here", "here", {
                "Logical_Switch": [{"where": [
                    ["name", "==", name + str(i)] for i in numbers]}]})
            updates = [message["params"][2]["Logical_Switch"]
                       for message in idl.heard]
            idl.heard.clear()
            return updates

        result = idl.result("monitor_cond_since", DATABASE, "here", {
            "Logical_Switch": [{"columns": ["name"], "where": [False]}]},
            ZERO)
        expect_equal(result[2], {})
        expect_equal(change(0), [{rows[0]: {"insert": {"name": name + "0"}}}])
        expect_equal(change(1, 2), [{
            rows[0]: {"delete": None},
            rows[1]: {"insert": {"name": name + "1"}},
            rows[2]: {"insert": {"name": name + "2"}}}])
        expect_equal(change(1, 2), [])


@check("idl.verify")
def verify(server):
    """What it read is still so: wait, 0 ms, with the columns it read."""
    name = wire.new_name()
    with Idl.dial(server) as idl:
        switch = idl.transact(insert("Logical_Switch", {
            "name": name, "tunnel_key": 1}))[0]["uuid"]

        def is_still(key):
            return {"op": "wait", "table": "Logical_Switch", "timeout": 0,
                    "where": [["_uuid", "==", switch]],
                    "columns": ["tunnel_key"], "until": "==",
                    "rows": [{"tunnel_key": key}]}

        change = {"op": "update", "table": "Logical_Switch",
                  "where": [["_uuid", "==", switch]],
                  "row": {"tunnel_key": 2}}
        expect_equal(idl.transact(is_still(1), change), [{}, {"count": 1}])
        results = idl.result("transact", DATABASE, is_still(1), change)
        expect_equal(results[0]["error"], "timed out")


@check("idl.mutate")
def mutations(server):
    """Sets of references, by their differences."""
    with Idl.dial(server) as idl:
        where = [["name", "==", "gateway"]]
        port = insert("Physical_Port", {"name": wire.new_name()}, "row1")
        new = idl.transact(port, mutate("Physical_Switch", where, [
            "ports", "insert", ["set", [["named-uuid", "row1"]]]]))[0]["uuid"]
        ports = server.one("Physical_Switch", *where)["ports"][1]
        expect(new in ports and len(ports) == 4, ports)
        idl.transact(mutate("Physical_Switch", where, [
            "ports", "delete", ["set", [new]]]))
        # Nobody refers to it: it is collected.
        expect_equal(server.rows("Physical_Port", ["_uuid", "==", new]), [])


@check("idl.references")
def references(server):
    """A locator set and its locators come and go with who refers to them."""
    switch, _ = server.new_switch("192.0.2.51")
    with Idl.dial(server) as idl:
        idl.start()
        results = idl.transact(
            insert("Mcast_Macs_Remote", {
                "MAC": "unknown-dst", "ipaddr": "",
                "logical_switch": switch,
                "locator_set": ["named-uuid", "row2"]}),
            insert("Physical_Locator_Set", {"locators": ["set", [
                ["named-uuid", "row3"], ["named-uuid", "row4"]]]}, "row2"),
            *[insert("Physical_Locator", {
                "dst_ip": "192.0.2.%d" % (49 + i),
                "encapsulation_type": "vxlan_over_ipv4"}, "row%d" % i)
              for i in (3, 4)])
        uuids = [result["uuid"][1] for result in results]
        idl.settle()
        idl.transact(delete("Mcast_Macs_Remote", [
            "_uuid", "==", results[0]["uuid"]]))
        expect_equal(update_of(idl, "Mcast_Macs_Remote",
                               results[0]["uuid"]), {
            "Mcast_Macs_Remote": {uuids[0]: {"delete": None}},
            "Physical_Locator_Set": {uuids[1]: {"delete": None}},
            "Physical_Locator": {uuids[2]: {"delete": None},
                                 uuids[3]: {"delete": None}}})


@check("idl.lock")
def lock(server):
    """As ovn-northd and ovs-vswitchd: a second one waits its turn, also when
    the first is gone without a word."""
    lock_id = wire.new_name()
    with Idl.dial(server) as one, Idl.dial(server) as two:
        expect_equal(one.result("lock", lock_id), {"locked": True})
        expect_equal(two.result("lock", lock_id), {"locked": False})
        results = two.result("transact", DATABASE,
                             {"op": "assert", "lock": lock_id},
                             insert("Logical_Switch",
                                    {"name": wire.new_name()}))
        expect_equal(results[0]["error"], "not owner")
        one.close()
        expect_equal(two.notification("locked")["params"], [lock_id])
        two.transact({"op": "assert", "lock": lock_id})


@check("idl.no_server_database")
def no_server_database(server):
    """What it falls back to in front of a server that is older."""
    with Idl.dial(server) as idl:
        schema = idl.result("get_schema", DATABASE)
        request = {table: [{"columns": sorted(columns["columns"])}]
                   for table, columns in schema["tables"].items()}
        tables = idl.result("monitor", DATABASE, ["monid", DATABASE],
                            request)
        row = next(iter(tables["Physical_Switch"].values()))
        expect_equal(row["new"]["name"], "gateway")
