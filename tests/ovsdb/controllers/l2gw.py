# SPDX-License-Identifier: Apache-2.0
"""OpenStack's networking-l2gw: its agent dials gateways (client mode), or
waits on port 6632 for gateways that dial it (manager mode)."""

import json
import random
import time

import wire
from wire import Listener, check, delete, expect, expect_equal, insert

TABLES = ["Logical_Switch", "Physical_Switch", "Physical_Port",
          "Ucast_Macs_Local", "Ucast_Macs_Remote", "Physical_Locator",
          "Mcast_Macs_Local", "Physical_Locator_Set"]
SELECT = {"initial": True, "insert": True, "delete": True, "modify": True}
COMMIT = {"op": "commit", "durable": True}


class Agent(wire.Peer):
    """Reads 4096 bytes at a time, and counts braces, in strings, too."""

    chunk = 4096

    def new_framing(self):
        return wire.Balance(knows_strings=False)

    def new_id(self):
        return str(random.getrandbits(128))

    def monitor(self):
        return self.result("monitor", "hardware_vtep", None,
                           {table: [{"select": SELECT}] for table in TABLES})

    def update(self):
        """The next one's tables; a NULL id in front of them."""
        message = self.notification("update")
        expect_equal(message["params"][0], None)
        return message["params"][1]


def name():
    return "a%039d" % random.getrandbits(128)


def add_mac(mac, switch, address, locator=None):
    """Operations; the switch is an <uuid> or a name for a new one."""
    operations = []
    if not locator:
        locator = ["named-uuid", name()]
        operations.append(insert("Physical_Locator", {
            "dst_ip": address, "encapsulation_type": "vxlan_over_ipv4"},
            locator[1]))
    if isinstance(switch, str):
        key, switch = switch, ["named-uuid", name()]
        operations.append(insert("Logical_Switch", {
            "description": key, "name": key,
            "tunnel_key": random.randrange(1, 1 << 24)}, switch[1]))
    operations.append(insert("Ucast_Macs_Remote", {
        "MAC": mac, "ipaddr": "10.0.0.1", "locator": locator,
        "logical_switch": switch}, name()))
    return operations + [COMMIT]


def by_mac(mac, switch):
    return delete("Ucast_Macs_Remote", ["MAC", "==", mac],
                  ["logical_switch", "==", switch])


def write(server, *operations):
    """As its writer does: a connection for one transaction, of which the first
    message that comes has to be the reply."""
    with Agent.dial(server) as writer:
        request_id = writer.request("transact",
                                    ["hardware_vtep", *operations])
        reply = writer.receive()
        expect(reply, "no reply")
        expect_equal(reply["id"], request_id)
        expect_equal(reply["error"], None)
        for outcome in reply["result"]:
            expect("error" not in outcome, reply["result"])
        return reply["result"]


@check("l2gw.write")
def write_first_message(server):
    switch = wire.new_name()
    results = write(server, *add_mac("00:00:00:00:01:01", switch,
                                     "192.0.2.11"))
    expect_equal(len(results), 4)
    row = server.one("Ucast_Macs_Remote", ["_uuid", "==",
                                           results[2]["uuid"]])
    expect_equal(row["logical_switch"], results[1]["uuid"])
    expect_equal(row["locator"], results[0]["uuid"])


@check("l2gw.commit_durable")
def commit_durable(server):
    switch = wire.new_name()
    results = write(server, *add_mac("00:00:00:00:01:02", switch,
                                     "192.0.2.12"))
    expect_equal(results[-1], {})
    with open(server.directory + "/hardware_vtep.db") as file:
        expect(switch in file.read(), "it is not in the file")


@check("l2gw.monitor")
def monitor(server):
    with Agent.dial(server) as agent:
        initial = agent.monitor()
        expect_equal(len(initial["Physical_Port"]), 3)
        for row in initial["Physical_Port"].values():
            expect_equal(list(row), ["new"])
            expect({"name", "description", "vlan_bindings",
                    "port_fault_status", "_version"} <= set(row["new"]), row)
            expect("_uuid" not in row["new"], row)


@check("l2gw.update")
def update(server):
    with Agent.dial(server) as agent:
        agent.monitor()
        results = write(server, *add_mac("00:00:00:00:01:03",
                                         wire.new_name(), "192.0.2.13"))
        locator, switch, mac = (r["uuid"] for r in results[:3])
        tables = agent.update()
        expect_equal(set(tables), {"Physical_Locator", "Logical_Switch",
                                   "Ucast_Macs_Remote"})
        row = tables["Ucast_Macs_Remote"][mac[1]]
        expect_equal(list(row), ["new"])
        expect_equal(row["new"]["MAC"], "00:00:00:00:01:03")
        expect_equal(row["new"]["locator"], locator)
        expect_equal(row["new"]["logical_switch"], switch)

        # The VM moves: another locator, and the one before is collected.
        results = write(
            server, insert("Physical_Locator", {
                "dst_ip": "192.0.2.14",
                "encapsulation_type": "vxlan_over_ipv4"}, "a1"),
            {"op": "update", "table": "Ucast_Macs_Remote",
             "where": [["_uuid", "==", mac]],
             "row": {"locator": ["named-uuid", "a1"]}}, COMMIT)
        expect_equal(results[1], {"count": 1})
        tables = agent.update()
        row = tables["Ucast_Macs_Remote"][mac[1]]
        expect_equal(set(row["old"]), {"locator", "_version"})
        expect_equal(row["old"]["locator"], locator)
        expect_equal(row["new"]["locator"], results[0]["uuid"])
        expect_equal(row["new"]["MAC"], "00:00:00:00:01:03")
        gone = tables["Physical_Locator"][locator[1]]
        expect_equal(list(gone), ["old"])
        expect_equal(gone["old"]["dst_ip"], "192.0.2.13")


@check("l2gw.delete_by_mac_and_switch")
def delete_by_mac(server):
    mac = "00:00:00:00:01:04"
    one = write(server, *add_mac(mac, wire.new_name(), "192.0.2.15"))
    two = write(server, *add_mac(mac, wire.new_name(), "192.0.2.16"))
    switch = one[1]["uuid"]
    write(server, *add_mac("00:00:00:00:01:05", switch, "",
                           one[0]["uuid"]))
    with Agent.dial(server) as agent:
        agent.monitor()
        results = write(server, by_mac(mac, switch),
                        by_mac("00:00:00:00:01:06", switch),
                        by_mac("00:00:00:00:01:05", switch), COMMIT)
        expect_equal(results, [{"count": 1}, {"count": 0}, {"count": 1}, {}])
        tables = agent.update()
        expect_equal({row["old"]["MAC"] for row
                      in tables["Ucast_Macs_Remote"].values()},
                     {mac, "00:00:00:00:01:05"})
        # Nobody else names the locator.
        expect_equal(list(tables["Physical_Locator"]), [one[0]["uuid"][1]])
    rest = server.rows("Ucast_Macs_Remote", ["MAC", "==", mac])
    expect_equal([row["logical_switch"] for row in rest], [two[1]["uuid"]])


@check("l2gw.delete_logical_switch")
def delete_switch(server):
    results = write(server, *add_mac("00:00:00:00:01:07", wire.new_name(),
                                     "192.0.2.17"))
    switch = results[1]["uuid"]
    gone = delete("Logical_Switch", ["_uuid", "==", switch])
    with Agent.dial(server) as agent:
        reply = agent.call("transact", "hardware_vtep", gone, COMMIT)
        expect_equal(reply["error"], None)
        expect_equal(reply["result"][-1]["error"],
                     "referential integrity violation")
    write(server, by_mac("00:00:00:00:01:07", switch), COMMIT)
    expect_equal(write(server, gone, COMMIT), [{"count": 1}, {}])


@check("l2gw.vlan_bindings")
def vlan_bindings(server):
    port = server.one("Physical_Port", ["name", "==", "p0"])["_uuid"]
    switch, _ = server.new_switch()

    def bind(verb, *pairs):
        return wire.mutate("Physical_Port", [["_uuid", "==", port]],
                           ["vlan_bindings", verb, ["map", list(pairs)]])

    with Agent.dial(server) as agent:
        agent.monitor()
        write(server, bind("insert", [7, switch]), COMMIT)
        write(server, bind("insert", [8, switch], [7, switch]), COMMIT)
        row = agent.update()["Physical_Port"][port[1]]
        expect_equal(row["old"]["vlan_bindings"], ["map", []])
        expect_equal(row["new"]["vlan_bindings"], ["map", [[7, switch]]])
        row = agent.update()["Physical_Port"][port[1]]
        expect_equal(row["new"]["vlan_bindings"],
                     ["map", [[7, switch], [8, switch]]])
        write(server, bind("delete", [7, switch]), COMMIT)
        row = agent.update()["Physical_Port"][port[1]]
        expect_equal(row["new"]["vlan_bindings"], ["map", [[8, switch]]])
        write(server, bind("delete", [8, switch]), COMMIT)


@check("l2gw.braces_in_strings")
def braces(server):
    """More than it reads at a time, with braces that count."""
    names = ["{%s-%03d}" % ("x" * 200, i) for i in range(50)]
    server.operator.transact(*[insert("Logical_Switch", {"name": n})
                               for n in names])
    try:
        with Agent.dial(server) as agent:
            seen = {row["new"]["name"] for row
                    in agent.monitor()["Logical_Switch"].values()}
            expect(set(names) <= seen, "some are missing")
    finally:
        server.operator.transact(*[
            delete("Logical_Switch", ["name", "==", n]) for n in names])


@check("l2gw.echo_within_30_s", takes_long=True)
def echo_in_client_mode(server):
    """It gives up a connection that is silent for so long; nobody has set a
    time for probes."""
    with Agent.dial(server) as agent:
        agent.monitor()
        end = time.monotonic() + 30
        while True:
            message = agent.receive(end - time.monotonic())
            expect(message, "silence")
            if message.get("method") == "echo":
                break
        agent.send(agent.answer_probe(message))


@check("l2gw.manager", takes_long=True)
def manager_mode(server):
    """It says nothing until it got an echo, which it reads with one recv();
    it asks for tables once it has heard something more, which can only be the
    next echo."""
    with Listener(6632) as listener, \
            server.manager(listener.target, inactivity_probe=1000):
        for again in False, True:
            with Agent(listener.accept()) as agent:
                first = agent.read()
                message = json.loads(first)
                expect_equal(message["method"], "echo")
                expect_equal(agent.read(0), None)
                agent.send(agent.answer_probe(message))
                second = json.loads(agent.read())
                expect_equal(second["method"], "echo")
                agent.send(agent.answer_probe(second))
                expect("Physical_Port" in agent.monitor(), "no tables")
                server.becomes("is_connected", True, listener.target)
                results = agent.transact(
                    *add_mac("00:00:00:00:02:0%d" % again,
                             wire.new_name(), "192.0.2.2%d" % again))
                agent.update()
                agent.transact(by_mac("00:00:00:00:02:0%d" % again,
                                      results[1]["uuid"]), COMMIT)
                expect("Ucast_Macs_Remote" in agent.update(), "no update")


@check("l2gw.manager_default_probe", takes_long=True)
def manager_probe(server):
    with Listener(6632) as listener, \
            server.manager(listener.target), Agent(listener.accept()) as agent:
        data = agent.read(30)
        expect(data, "silence")
        expect_equal(json.loads(data)["method"], "echo")
