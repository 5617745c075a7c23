#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Changes everything that the steady VMs do not need, again and again.

    churn.py SOCKET ROUNDS NETNS [mappings|subnets|ports|switches]...

Each round of raw transactions to an agent: mappings come, move to another
host, change their MAC and go; a subnet comes with its router binding and goes;
a route comes and goes; a port comes, is bound, loses its policy and goes; a
switch comes with a provider address, gets another and goes.  What is there
before the first round is there, and the same, after the last one.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rows import Server, insert  # noqa: E402


def find(server, database, table, where, column="_uuid"):
    rows = server.transact(database, [{
        "op": "select", "table": table, "where": where,
        "columns": [column]}])[0]["rows"]
    if len(rows) != 1:
        sys.exit(f"{table} {where}: {len(rows)} rows")
    return rows[0][column]


def mutate(table, where, column, mutator, value):
    return {"op": "mutate", "table": table, "where": where,
            "mutations": [[column, mutator, value]]}


def delete(table, where):
    return {"op": "delete", "table": table, "where": where}


def mapping(i, subnet, locator, mac="0e"):
    return insert("Ucast_Macs_Remote", {
        "MAC": f"02-{mac}-00-00-00-{i:02x}", "ipaddr": f"10.1.1.{i}",
        "mapping_type": "default", "logical_switch": subnet,
        "locator": locator})


class Churn:
    def __init__(self, server, netns):
        self.server = server
        self.netns = netns
        self.subnet = find(server, "ms_vtep", "Logical_Switch",
                           [["name", "==", "5001"]])
        self.router = find(server, "ms_vtep", "Logical_Router", [])
        self.here, self.there = (
            find(server, "ms_vtep", "Physical_Locator",
                 [["dst_ip", "==", f"192.0.2.{i}"]]) for i in (1, 2))
        self.switch = find(server, "hnv", "Switch", [["name", "==", "hnv0"]])

    def policy(self, *operations):
        return self.server.transact("ms_vtep", list(operations))

    def host(self, *operations):
        return self.server.transact("hnv", list(operations))

    def mappings(self):
        some = range(100, 150)
        self.policy(*(mapping(i, self.subnet, self.there) for i in some))
        for locator, mac in ((self.here, "0e"), (self.there, "0f")):
            self.policy(*(o for i in some for o in (
                delete("Ucast_Macs_Remote",
                       [["ipaddr", "==", f"10.1.1.{i}"]]),
                mapping(i, self.subnet, locator, mac))))
        self.policy(*(delete("Ucast_Macs_Remote",
                             [["ipaddr", "==", f"10.1.1.{i}"]])
                      for i in some))

    def subnets(self):
        named = ["named-uuid", "s"]
        new = self.policy(
            insert("Logical_Switch", {"name": "5999", "tunnel_key": 5999},
                   "s"),
            mutate("Logical_Router", [], "switch_binding", "insert",
                   ["map", [["10.9.9.0/24", named]]]),
            insert("Ucast_Macs_Remote", {
                "MAC": "02-09-00-00-00-09", "ipaddr": "10.9.9.9",
                "mapping_type": "default", "logical_switch": named,
                "locator": self.there}),
            mutate("Logical_Router", [], "static_routes", "insert",
                   ["map", [["198.51.100.0/24", "10.9.9.9"]]]))[0]["uuid"]
        self.policy(
            {"op": "update", "table": "Logical_Switch",
             "where": [["_uuid", "==", new]], "row": {"tunnel_key": 5998}})
        self.policy(
            delete("Ucast_Macs_Remote", [["ipaddr", "==", "10.9.9.9"]]),
            mutate("Logical_Router", [], "static_routes", "delete",
                   ["set", ["198.51.100.0/24"]]),
            mutate("Logical_Router", [], "switch_binding", "delete",
                   ["set", ["10.9.9.0/24"]]),
            delete("Logical_Switch", [["_uuid", "==", new]]))

    def ports(self):
        self.host(
            insert("Port", {
                "name": "comes", "type": "tap", "iface_id": "comes-and-goes",
                "mac": "02-0a-00-00-00-0a", "options": ["map", [
                    ["netns", self.netns], ["interface", "comes"]]]}, "p"),
            mutate("Switch", [["name", "==", "hnv0"]], "ports", "insert",
                   ["named-uuid", "p"]))
        self.policy(
            insert("Physical_Port", {
                "name": "{COMES-AND-GOES}",
                "vlan_bindings": ["map", [[0, self.subnet]]]}, "p"),
            mutate("Physical_Switch", [], "ports", "insert",
                   ["named-uuid", "p"]),
            insert("Ucast_Macs_Remote", {
                "MAC": "02-0a-00-00-00-0a", "ipaddr": "10.1.1.200",
                "mapping_type": "default", "logical_switch": self.subnet,
                "locator": self.here}))
        self.host({
            "op": "wait", "table": "Port", "timeout": 5000,
            "where": [["name", "==", "comes"]], "columns": ["status"],
            "until": "==", "rows": [{"status": [
                "map", [["state", "bound"], ["vsid", "5001"]]]}]})
        port = find(self.server, "ms_vtep", "Physical_Port",
                    [["name", "==", "{COMES-AND-GOES}"]])
        self.policy(
            delete("Ucast_Macs_Remote", [["ipaddr", "==", "10.1.1.200"]]),
            mutate("Physical_Switch", [], "ports", "delete", port))
        port = find(self.server, "hnv", "Port", [["name", "==", "comes"]])
        self.host(mutate("Switch", [["name", "==", "hnv0"]], "ports",
                         "delete", port))

    def switches(self):
        root = find(self.server, "hnv", "Host", [])
        new = self.host(
            insert("Provider_Address", {"ip": "192.0.2.11",
                                        "device": "socket"}, "a"),
            insert("Switch", {"name": "other", "type": "external",
                              "provider_addresses": ["named-uuid", "a"]},
                   "s"),
            mutate("Host", [["_uuid", "==", root]], "switches", "insert",
                   ["named-uuid", "s"]))[1]["uuid"]
        self.host(
            insert("Provider_Address", {"ip": "192.0.2.12",
                                        "device": "socket"}, "a"),
            {"op": "update", "table": "Switch",
             "where": [["_uuid", "==", new]],
             "row": {"provider_addresses": ["named-uuid", "a"]}})
        self.host(mutate("Host", [["_uuid", "==", root]], "switches",
                         "delete", new))


def main():
    path, rounds, netns = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    churn = Churn(Server(path), netns)
    what = sys.argv[4:] or ["mappings", "subnets", "ports", "switches"]
    for _ in range(rounds):
        for each in what:
            getattr(churn, each)()
    print(f"{rounds} rounds")


main()
