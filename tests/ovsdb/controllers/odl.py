# SPDX-License-Identifier: Apache-2.0
"""OpenDaylight's OVSDB library: it dials gateways, or waits on port 6640."""

import json
import ssl

import wire
from wire import (Listener, check, delete, expect, expect_equal, insert,
                  mutate, select_all)

DATABASE = "hardware_vtep"


class Library(wire.Peer):
    """Leaves out members that are null itself; looks for "result", "method"
    and "id" to tell what a message is, so that they have to be there,
    if only as null."""

    def new_framing(self):
        return wire.Balance(knows_strings=True)

    def encode(self, message):
        return json.dumps(message, separators=(",", ":"))

    def answer_probe(self, probe):
        # Always an empty list, and no error.
        return {"id": probe["id"], "result": []}

    def notification(self, method, patience=wire.PATIENCE):
        message = super().notification(method, patience)
        expect("id" in message, message)
        expect("result" not in message, message)
        return message

    def monitor(self, *tables):
        """All columns of each, the internal ones too; the handle."""
        schema = self.result("get_schema", DATABASE)
        handle = self.new_id()
        requests = {}
        for table in tables:
            columns = list(schema["tables"][table]["columns"])
            requests[table] = {
                "columns": columns + ["_uuid", "_version"],
                "select": {"initial": True, "insert": True,
                           "delete": True, "modify": True}}
        return handle, self.result("monitor", DATABASE, handle, requests)

    def update(self, handle):
        params = self.notification("update")["params"]
        expect_equal(params[0], handle)
        return params[1]


@check("odl.list_dbs")
def list_dbs(server):
    with Library.dial(server) as odl:
        expect(DATABASE in odl.result("list_dbs"), "it is not there")


@check("odl.get_schema")
def get_schema(server):
    with Library.dial(server) as odl:
        schema = odl.result("get_schema", DATABASE)
        expect_equal(schema["name"], DATABASE)
        expect("Ucast_Macs_Remote" in schema["tables"], schema)


@check("odl.monitor")
def monitor(server):
    switch, _ = server.new_switch("192.0.2.31")
    with Library.dial(server) as odl:
        handle, initial = odl.monitor("Physical_Port", "Logical_Switch",
                                      "Ucast_Macs_Remote")
        row = initial["Logical_Switch"][switch[1]]["new"]
        expect_equal(row["_uuid"], switch)
        expect_equal(row["_version"][0], "uuid")
        server.operator.transact({
            "op": "update", "table": "Logical_Switch",
            "where": [["_uuid", "==", switch]],
            "row": {"description": "by another"}})
        change = odl.update(handle)["Logical_Switch"][switch[1]]
        expect_equal(set(change), {"old", "new"})
        expect_equal(set(change["old"]), {"description", "_version"})
        expect_equal(change["new"]["description"], "by another")
        expect(change["new"]["_version"] != row["_version"], change)


@check("odl.monitor_cancel")
def monitor_cancel(server):
    with Library.dial(server) as odl:
        handle, _ = odl.monitor("Logical_Switch")
        expect_equal(odl.result("monitor_cancel", handle), {})
        odl.transact(insert("Logical_Switch", {"name": wire.new_name()}))
        expect_equal(odl.settle(), [])
        reply = odl.call("monitor_cancel", handle)
        expect_equal(reply["error"], "unknown monitor")


@check("odl.two_databases")
def two_databases(server):
    """One connection for all of them; a handle belongs to one monitor."""
    with Library.dial(server) as odl:
        handle, _ = odl.monitor("Logical_Switch")
        other = odl.new_id()
        tables = odl.result("monitor", "_Server", other,
                            {"Database": {"columns": ["name"]}})
        expect(DATABASE in [row["new"]["name"]
                            for row in tables["Database"].values()], tables)
        odl.transact(insert("Logical_Switch", {"name": wire.new_name()}))
        expect("Logical_Switch" in odl.update(handle), "no update")


@check("odl.transact")
def transact(server):
    """All operations that its library has."""
    name = wire.new_name()
    by_name = ["name", "==", name]
    with Library.dial(server) as odl:
        results = odl.transact(
            {"op": "comment", "comment": "odl"},
            insert("Logical_Switch", {"name": name, "tunnel_key": [
                "set", []]}, "Logical_Switch_1"),
            insert("Physical_Locator", {
                "dst_ip": "192.0.2.32",
                "encapsulation_type": "vxlan_over_ipv4"}, "loc"),
            insert("Physical_Locator_Set", {"locators": [
                "named-uuid", "loc"]}, "set"),
            insert("Mcast_Macs_Remote", {
                "MAC": "unknown-dst", "ipaddr": "",
                "logical_switch": ["named-uuid", "Logical_Switch_1"],
                "locator_set": ["named-uuid", "set"]}),
            {"op": "commit", "durable": False})
        expect_equal(results[0], {})
        switch = results[1]["uuid"]
        results = odl.transact(
            {"op": "select", "table": "Logical_Switch",
             "where": [by_name], "columns": ["_uuid", "tunnel_key"]},
            {"op": "update", "table": "Logical_Switch",
             "where": [["_uuid", "==", switch]],
             "row": {"tunnel_key": ["set", [77]]}},
            mutate("Logical_Switch", [by_name],
                   ["other_config", "insert", ["map", [["a", "b"]]]]),
            {"op": "wait", "table": "Logical_Switch", "timeout": 0,
             "where": [by_name], "columns": ["tunnel_key"], "until": "==",
             "rows": [{"tunnel_key": 77}]},
            select_all("Logical_Switch", by_name),
            delete("Mcast_Macs_Remote", ["logical_switch", "==", switch]))
        expect_equal(results[0]["rows"],
                     [{"_uuid": switch, "tunnel_key": ["set", []]}])
        expect_equal(results[1:4], [{"count": 1}, {"count": 1}, {}])
        row = results[4]["rows"][0]
        expect_equal(row["tunnel_key"], 77)
        expect_equal(row["other_config"], ["map", [["a", "b"]]])
        expect_equal(results[5], {"count": 1})
        reply = odl.call("transact", DATABASE,
                         delete("Logical_Switch", by_name), {"op": "abort"})
        expect_equal(reply["result"][0], {"count": 1})
        expect_equal(reply["result"][1]["error"], "aborted")
        odl.transact(delete("Logical_Switch", by_name))


@check("odl.where")
def where(server):
    """Conditions on columns that no index has: sets, maps, numbers."""
    name = wire.new_name()
    with Library.dial(server) as odl:
        odl.transact(*[insert("Logical_Switch", {
            "name": name + str(i), "tunnel_key": 1000000 + i,
            "description": name, "other_config": ["map", [["i", str(i)]]]})
            for i in range(4)])
        for condition, expected in (
                (["tunnel_key", ">=", 1000002], {"2", "3"}),
                (["tunnel_key", "includes", 1000001], {"1"}),
                (["other_config", "includes", ["map", [["i", "3"]]]], {"3"}),
                (["other_config", "excludes", ["map", [["i", "3"]]]],
                 {"0", "1", "2"}),
                (["name", "!=", name + "0"], {"1", "2", "3"})):
            rows = odl.transact(select_all(
                "Logical_Switch", ["description", "==", name],
                condition))[0]["rows"]
            expect_equal({row["name"][-1] for row in rows}, expected)
        results = odl.transact(delete("Logical_Switch",
                                      ["description", "==", name]))
        expect_equal(results, [{"count": 4}])


@check("odl.error", unlike_stock="it leaves out the result, and the library "
       "waits for it until it gives up")
def error(server):
    """A reply that has no member "result" is not seen as one."""
    with Library.dial(server) as odl:
        reply = odl.call("get_schema", "none")
        expect_equal(reply["result"], None)
        expect_equal(reply["error"]["error"], "unknown database")
        reply = odl.call("transact", DATABASE,
                         insert("Logical_Switch", {"name": 5}))
        expect_equal(reply["error"], None)
        expect(reply["result"][0]["error"] == "syntax error"
               and reply["result"][0]["details"], reply)


@check("odl.cancel", unlike_stock="it forgets to answer")
def cancel(server):
    with Library.dial(server) as odl:
        request_id = odl.request("transact", [DATABASE, {
            "op": "wait", "table": "Logical_Switch",
            "where": [["name", "==", wire.new_name()]],
            "columns": ["name"], "until": "!=", "rows": []}])
        odl.result("echo")
        odl.send({"method": "cancel", "params": [request_id], "id": None})
        reply = odl.reply(request_id)
        expect_equal(reply["result"], None)
        expect_equal(reply["error"], "canceled")


@check("odl.lock")
def lock(server):
    lock_id = wire.new_name()
    with Library.dial(server) as one, Library.dial(server) as two:
        expect_equal(one.result("lock", lock_id), {"locked": True})
        expect_equal(two.result("lock", lock_id), {"locked": False})
        holds = {"op": "assert", "lock": lock_id}
        expect_equal(one.transact(holds), [{}])
        expect_equal(two.result("transact", DATABASE, holds)[0]["error"],
                     "not owner")
        expect_equal(one.result("unlock", lock_id), {})
        expect_equal(two.notification("locked")["params"], [lock_id])
        expect_equal(one.result("steal", lock_id), {"locked": True})
        expect_equal(two.notification("stolen")["params"], [lock_id])
        expect_equal(two.result("transact", DATABASE, holds)[0]["error"],
                     "not owner")
        one.close()
        expect_equal(two.result("unlock", lock_id), {})
        expect_equal(two.result("lock", lock_id), {"locked": True})


@check("odl.manager_locks", takes_long=True)
def manager_locks(server):
    """What an operator sees of a connection's locks."""
    held, waits, lost = (wire.new_name() for _ in range(3))
    with Listener(6640) as listener, server.manager(listener.target), \
            Library(listener.accept()) as odl, Library.dial(server) as other:
        odl.result("lock", held)
        other.result("lock", waits)
        odl.result("lock", waits)
        odl.result("steal", lost)
        other.result("steal", lost)
        server.shows({"locks_held": held, "locks_waiting": waits,
                      "locks_lost": lost}, listener.target)
        other.result("unlock", lost)
        server.shows({"locks_lost": None}, listener.target)


@check("odl.echo", takes_long=True)
def echo(server):
    """It sends one after 30 s without a byte; here there are no probes."""
    with Listener(6640) as listener, \
            server.manager(listener.target, inactivity_probe=0), \
            Library(listener.accept()) as odl:
        expect_equal(odl.receive(1.5), None)
        expect_equal(odl.result("echo"), [])


@check("odl.echo_reply", takes_long=True)
def echo_reply(server):
    """What it answers to probes keeps the connection."""
    with Listener(6640) as listener, \
            server.manager(listener.target, inactivity_probe=1000), \
            Library(listener.accept()) as odl:
        odl.answer_probes(3)
        expect(DATABASE in odl.result("list_dbs"), "it is not there")


@check("odl.manager", takes_long=True)
def manager(server):
    with Listener(6640) as listener, server.manager(listener.target):
        with Library(listener.accept()) as odl:
            expect(DATABASE in odl.result("list_dbs"), "it is not there")
            _, initial = odl.monitor("Physical_Switch", "Manager")
            rows = [row["new"] for row in initial["Manager"].values()]
            expect(listener.target in [row["target"] for row in rows], rows)
            server.becomes("is_connected", True, listener.target)
        with Library(listener.accept()) as odl:
            expect(DATABASE in odl.result("list_dbs"), "it is not there")


@check("odl.manager_tls", takes_long=True)
def manager_tls(server):
    """The protocols and ciphers to which it confines its TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.pki("controller.pem"),
                            server.pki("controller.key"))
    context.load_verify_locations(server.pki("ca.ca"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256:"
                        "AES128-SHA256")
    with Listener(6640) as listener:
        target = listener.target.replace("tcp:", "ssl:")
        with server.manager(target):
            sock = context.wrap_socket(listener.accept(), server_side=True)
            with Library(sock) as odl:
                expect(DATABASE in odl.result("list_dbs"), "not there")
                server.becomes("is_connected", True, target)
