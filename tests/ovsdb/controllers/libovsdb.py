# SPDX-License-Identifier: Apache-2.0
"""The Go library libovsdb, as ovn-kubernetes and others use it."""

import itertools
import json
import ssl
import uuid

import wire
from wire import (ZERO, check, delete, expect, expect_equal, insert, mutate,
                  select_all)

DATABASE = "hardware_vtep"
SELECT = {"initial": True, "insert": True, "delete": True, "modify": True}


class Client(wire.Peer):
    """Numbers its requests, ends messages with a newline, and takes an error
    that is no string for the end of the connection."""

    def __init__(self, sock):
        super().__init__(sock)
        self.ids = itertools.count()

    def encode(self, message):
        return json.dumps(message, separators=(",", ":")) + "\n"

    def new_id(self):
        return next(self.ids)

    def reply(self, request_id):
        reply = super().reply(request_id)
        error = reply.get("error")
        expect(error is None or isinstance(error, str), reply)
        return reply

    def cookie(self, database=DATABASE):
        return {"databaseName": database, "id": str(uuid.uuid4())}

    def since(self, cookie, last=ZERO, where=None, table="Logical_Switch"):
        request = {"columns": ["name", "tunnel_key", "other_config"],
                   "select": SELECT}
        if where is not None:
            request["where"] = where
        return self.result("monitor_cond_since", DATABASE, cookie,
                           {table: request}, last)

    def update3(self, cookie):
        """The transaction's id and the tables."""
        params = self.notification("update3")["params"]
        expect_equal(len(params), 3)
        expect_equal(params[0], cookie)
        return params[1], params[2]


def wait(name, until, rows, timeout=0):
    return {"op": "wait", "table": "Logical_Switch", "timeout": timeout,
            "where": [["name", "==", name]], "columns": ["name"],
            "until": until, "rows": rows}


@check("libovsdb.list_dbs")
def list_dbs(server):
    """Its first request; no argument becomes a null."""
    with Client.dial(server) as client:
        expect(DATABASE in client.result("list_dbs", None), "not there")


@check("libovsdb.get_schema")
def get_schema(server):
    with Client.dial(server) as client:
        schema = client.result("get_schema", DATABASE)
        expect_equal(schema["name"], DATABASE)
        expect(schema["version"] and schema["tables"], schema)


@check("libovsdb.unknown_method")
def unknown_method(server):
    """It falls back to an older kind of monitor for this very string."""
    with Client.dial(server) as client:
        expect_equal(client.call("monitor_cond_soon", DATABASE)["error"],
                     "unknown method")


@check("libovsdb.monitor_cond_since")
def monitor_cond_since(server):
    name = wire.new_name()
    with Client.dial(server) as client:
        switch = client.transact(
            insert("Logical_Switch", {"name": name, "other_config": [
                "map", [["a", "1"], ["b", "2"]]]}))[0]["uuid"]
        cookie = client.cookie()
        found, last, tables = client.since(cookie)
        expect_equal(found, False)
        expect_equal(str(uuid.UUID(last)), last)
        row = tables["Logical_Switch"][switch[1]]
        # What has its default is left out.
        expect_equal(row, {"initial": {"name": name, "other_config": [
            "map", [["a", "1"], ["b", "2"]]]}})
        # Differences: of a map, the pairs that changed or went.
        client.transact(
            mutate("Logical_Switch", [["_uuid", "==", switch]],
                   ["other_config", "delete", ["set", ["a"]]],
                   ["other_config", "insert", ["map", [["c", "3"]]]]))
        _, tables = client.update3(cookie)
        change = tables["Logical_Switch"][switch[1]]
        expect_equal(list(change), ["modify"])
        expect_equal(sorted(change["modify"]["other_config"][1]),
                     [["a", "1"], ["c", "3"]])
        client.transact(delete("Logical_Switch", ["_uuid", "==", switch]))
        _, tables = client.update3(cookie)
        expect_equal(tables["Logical_Switch"][switch[1]], {"delete": None})


@check("libovsdb.monitor_where")
def monitor_where(server):
    """A condition of a monitor's table."""
    name = wire.new_name()
    with Client.dial(server) as client:
        client.transact(*[insert("Logical_Switch", {"name": name + str(i)})
                          for i in range(3)])
        cookie = client.cookie()
        _, _, tables = client.since(cookie, where=[
            ["name", "==", name + "1"]])
        expect_equal([row["initial"]["name"] for row
                      in tables["Logical_Switch"].values()], [name + "1"])
        client.transact(
            delete("Logical_Switch", ["name", "==", name + "0"]))
        expect_equal(client.settle(), [])
        client.transact(
            delete("Logical_Switch", ["name", "==", name + "1"]))
        expect("Logical_Switch" in client.update3(cookie)[1], "no update")


@check("libovsdb.since_after_reconnect", unlike_stock="it keeps no history of "
       "a stand-alone database and sends everything again")
def since_after_reconnect(server):
    """What it missed, and no more."""
    names = [wire.new_name() for _ in range(2)]
    with Client.dial(server) as client:
        client.transact(insert("Logical_Switch", {"name": names[0]}))
        cookie = client.cookie()
        _, last, _ = client.since(cookie)
    switch = server.operator.transact(
        insert("Logical_Switch", {"name": names[1]}))[0]["uuid"]
    with Client.dial(server) as client:
        found, newer, tables = client.since(cookie, last)
        expect_equal(found, True)
        expect(newer != last, newer)
        expect_equal(tables, {"Logical_Switch": {
            switch[1]: {"insert": {"name": names[1]}}}})


@check("libovsdb.monitor_cond")
def monitor_cond(server):
    name = wire.new_name()
    with Client.dial(server) as client:
        cookie = client.cookie()
        client.result("monitor_cond", DATABASE, cookie, {
            "Logical_Switch": {"columns": ["name"], "select": SELECT}})
        switch = client.transact(
            insert("Logical_Switch", {"name": name}))[0]["uuid"]
        params = client.notification("update2")["params"]
        expect_equal(params, [cookie, {"Logical_Switch": {
            switch[1]: {"insert": {"name": name}}}}])


@check("libovsdb.monitor")
def monitor(server):
    name = wire.new_name()
    with Client.dial(server) as client:
        cookie = client.cookie()
        client.result("monitor", DATABASE, cookie, {
            "Logical_Switch": {"columns": ["name"], "select": SELECT}})
        switch = client.transact(
            insert("Logical_Switch", {"name": name}))[0]["uuid"]
        params = client.notification("update")["params"]
        expect_equal(params, [cookie, {"Logical_Switch": {
            switch[1]: {"new": {"name": name}}}}])


@check("libovsdb.monitor_cancel")
def monitor_cancel(server):
    """The id is an object, and one of two."""
    with Client.dial(server) as client:
        one, two = client.cookie(), client.cookie()
        client.since(one)
        client.since(two)
        expect_equal(client.result("monitor_cancel", one), {})
        client.transact(insert("Logical_Switch", {"name": wire.new_name()}))
        client.update3(two)
        expect_equal(client.settle(), [])


@check("libovsdb.leader")
def leader(server):
    """With WithLeaderOnly: stand-alone is as good as leader; then a monitor
    of _Server beside that of the database."""
    with Client.dial(server) as client:
        expect("_Server" in client.result("list_dbs", None), "not there")
        expect_equal(client.result("get_schema", "_Server")["name"],
                     "_Server")
        rows = client.transact(
            {"op": "select", "table": "Database", "where": [],
             "columns": ["name", "model", "leader", "sid"]},
            database="_Server")[0]["rows"]
        row = next(row for row in rows if row["name"] == DATABASE)
        expect_equal(row, {"name": DATABASE, "model": "standalone",
                           "leader": True, "sid": ["set", []]})
        cookie = client.cookie("_Server")
        tables = client.result("monitor_cond", "_Server", cookie, {
            "Database": {"columns": ["name", "model", "leader", "sid",
                                     "connected", "cid", "index", "schema"],
                         "select": SELECT}})
        names = [row["initial"]["name"]
                 for row in tables["Database"].values()]
        expect(DATABASE in names, tables)


@check("libovsdb.mutate")
def mutations(server):
    name = wire.new_name()
    by_name = [["name", "==", name]]
    with Client.dial(server) as client:
        client.transact(insert("Logical_Switch", {
            "name": name, "tunnel_key": 10}))
        results = client.transact(
            mutate("Logical_Switch", by_name, ["tunnel_key", "+=", 5]),
            mutate("Logical_Switch", by_name, [
                "other_config", "insert", ["map", [["k", "v"]]]]),
            select_all("Logical_Switch", *by_name))
        row = results[2]["rows"][0]
        expect_equal(row["tunnel_key"], 15)
        expect_equal(row["other_config"], ["map", [["k", "v"]]])
        results = client.transact(
            mutate("Logical_Switch", by_name, [
                "other_config", "delete", ["map", [["k", "other"]]]],
                ["tunnel_key", "delete", 15]),
            select_all("Logical_Switch", *by_name))
        row = results[1]["rows"][0]
        expect_equal(row["other_config"], ["map", [["k", "v"]]])
        expect_equal(row["tunnel_key"], ["set", []])


@check("libovsdb.wait")
def waits(server):
    """Before it inserts, that nobody has; 0 ms, and a second."""
    name = wire.new_name()
    with Client.dial(server) as client:
        create = [wait(name, "!=", [{"name": name}]),
                  insert("Logical_Switch", {"name": name}, "u1")]
        client.transact(*create)
        results = client.result("transact", DATABASE, *create)
        expect_equal(results[0]["error"], "timed out")
        expect_equal(results[1:], [None])
        request_id = client.request("transact", [DATABASE, wait(
            name, "==", [], timeout=5000)])
        client.result("echo")
        server.operator.transact(
            delete("Logical_Switch", ["name", "==", name]))
        expect_equal(client.reply(request_id)["result"], [{}])


@check("libovsdb.named_uuid")
def named_uuid(server):
    """A name that an earlier operation uses already."""
    name = wire.new_name()
    with Client.dial(server) as client:
        results = client.transact(
            insert("Ucast_Macs_Remote", {
                "MAC": "00:00:00:00:03:01", "ipaddr": "",
                "logical_switch": ["named-uuid", "u1000000001"],
                "locator": ["named-uuid", "u1000000002"]}),
            insert("Logical_Switch", {"name": name}, "u1000000001"),
            insert("Physical_Locator", {
                "dst_ip": "192.0.2.41",
                "encapsulation_type": "vxlan_over_ipv4"}, "u1000000002"))
        row = server.one("Ucast_Macs_Remote", [
            "_uuid", "==", results[0]["uuid"]])
        expect_equal(row["logical_switch"], results[1]["uuid"])
        expect_equal(row["locator"], results[2]["uuid"])


@check("libovsdb.given_uuid")
def given_uuid(server):
    """Open vSwitch's extension: an insert says which UUID."""
    given = str(uuid.uuid4())
    operation = insert("Logical_Switch", {"name": wire.new_name()})
    operation["uuid"] = given
    with Client.dial(server) as client:
        expect_equal(client.transact(operation),
                     [{"uuid": ["uuid", given]}])
        results = client.result("transact", DATABASE, operation)
        expect_equal(results[0]["error"], "duplicate uuid")


@check("libovsdb.constraint")
def constraint(server):
    """Two rows of one index: an error of the transaction as a whole."""
    row = {"name": wire.new_name()}
    with Client.dial(server) as client:
        results = client.result("transact", DATABASE,
                                insert("Logical_Switch", row),
                                insert("Logical_Switch", row))
        expect_equal(len(results), 3)
        expect_equal(results[2]["error"], "constraint violation")
        expect(results[2]["details"], results)


@check("libovsdb.echo")
def echo(server):
    with Client.dial(server) as client:
        expect_equal(client.result("echo", "libovsdb echo"),
                     ["libovsdb echo"])


@check("libovsdb.echo_reply", takes_long=True)
def echo_reply(server):
    """What it answers to probes keeps the connection."""
    with wire.Listener(6640) as listener, \
            server.manager(listener.target, inactivity_probe=1000), \
            Client(listener.accept()) as client:
        client.answer_probes(3)
        expect(DATABASE in client.result("list_dbs", None), "not there")


@check("libovsdb.tls")
def tls(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(server.pki("controller.pem"),
                            server.pki("controller.key"))
    context.load_verify_locations(server.pki("ca.ca"))
    with Client(server.connect_tls(context)) as client:
        expect(DATABASE in client.result("list_dbs", None), "not there")
