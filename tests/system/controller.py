#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""A controller, written from schema/README.md and RFC 7047 alone.

    controller.py INTENT        makes the hosts be as the file says, waits until
                                packets obey, and says what ports say

INTENT is JSON:
    {"hosts": {"h1": {"remote": ["127.0.0.1", 6641], "pa": "192.0.2.1"}},
     "encapsulation": "vxlan_over_ipv4", "router_mac": "02:00:5e:00:01:01",
     "tenants": {"contoso": {"5001": {"prefix": "10.1.1.0/24", "vms": {
         "web": {"host": "h1", "guid": "...", "mac": "...", "ip": "...",
                 "inbound": [["TCP", "10.1.1.0/24", "80"]]}}}}}}

It keeps no state: whatever is there is replaced, in one transaction for each
database, so that packets see the old or the new. "inbound": what a VM's
firewall allows; as soon as one VM has one, each has one, and those that say
nothing allow all."""

import json
import socket
import sys


class Host:
    """A session with one agent."""

    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port), 10)
        self.text = ""
        self.n = 0

    def call(self, method, *params):
        self.n += 1
        self.socket.sendall(json.dumps(
            {"method": method, "params": params, "id": self.n}).encode())
        while True:
            message = self.receive()
            if message.get("method") == "echo":
                self.socket.sendall(json.dumps(
                    {"result": message["params"], "error": None,
                     "id": message["id"]}).encode())
            elif message["id"] == self.n:
                return message

    def receive(self):
        while True:
            try:
                message, end = json.JSONDecoder().raw_decode(self.text)
            except json.JSONDecodeError:
                more = self.socket.recv(65536)
                if not more:
                    raise SystemExit("the agent hangs up") from None
                self.text += more.decode()
            else:
                self.text = self.text[end:].lstrip()
                return message

    def transact(self, database, operations):
        message = self.call("transact", database, *operations)
        failed = message["error"] or [
            r for r in message["result"] if r and "error" in r]
        if failed:
            raise SystemExit(f"{database}: {failed}")
        return message["result"]


def insert(table, uuid_name=None, /, **row):
    operation = {"op": "insert", "table": table, "row": row}
    if uuid_name:
        operation["uuid-name"] = uuid_name
    return operation


def named(name):
    return ["named-uuid", name]


def virtual_networks(intent, host):
    """All of ms_vtep, as this host is to know it."""
    ports = []
    yield from ({"op": "delete", "table": table, "where": []} for table in (
        "Global", "Physical_Switch", "Physical_Port", "Ucast_Macs_Remote",
        "Logical_Router", "Logical_Switch"))
    for name, other in intent["hosts"].items():
        yield insert("Physical_Locator", f"pl_{name}", dst_ip=other["pa"],
                     encapsulation_type=intent["encapsulation"])
    for tenant, subnets in intent["tenants"].items():
        bindings = []
        for vsid, subnet in subnets.items():
            switch = named(f"ls_{vsid}")
            yield insert("Logical_Switch", f"ls_{vsid}", name=vsid,
                         tunnel_key=int(vsid), description=tenant)
            bindings.append([subnet["prefix"], switch])
            for vm in subnet["vms"].values():
                yield insert("Ucast_Macs_Remote", MAC=vm["mac"],
                             ipaddr=vm["ip"], logical_switch=switch,
                             locator=named("pl_" + vm["host"]),
                             mapping_type="default")
                if vm["host"] != host:
                    continue
                ports.append(named(f"pp_{len(ports)}"))
                yield insert("Physical_Port", ports[-1][1],
                             name="{%s}" % vm["guid"],
                             vlan_bindings=["map", [[0, switch]]])
        yield insert("Logical_Router", name=tenant, enable_logical_router=True,
                     switch_binding=["map", bindings])
    yield insert("Physical_Switch", "ps", name="hnv0",
                 distributed_router_mac=intent["router_mac"],
                 ports=["set", ports])
    yield insert("Global", switches=named("ps"), next_cfg=1)


def firewall(intent, host):
    yield {"op": "delete", "table": "FW_Global", "where": []}
    yield {"op": "delete", "table": "FW_Rules", "where": []}
    vms = [vm for subnets in intent["tenants"].values()
           for subnet in subnets.values() for vm in subnet["vms"].values()]
    if not any("inbound" in vm for vm in vms):
        return
    yield insert("FW_Global", next_cfg=1)
    for vm in vms:
        if vm["host"] != host:
            continue
        rules = [("Outbound", "All", "*", "*")] + [
            ("Inbound", *rule)
            for rule in vm.get("inbound", [("All", "*", "*")])]
        for i, (direction, protocol, source, port) in enumerate(rules):
            yield insert("FW_Rules", rule_id=f"{vm['guid']}-{i}",
                         vnic_id=vm["guid"], priority=100 + i,
                         direction=direction, action="Allow",
                         protocols=protocol, src_ip_addresses=source,
                         dst_ip_addresses="*", src_ports="*", dst_ports=port,
                         rule_state="Enabled", logging_state="Disabled",
                         rule_type="RuleWithControllerPriority")


def until_in_force(host, database, table):
    host.transact(database, [
        {"op": "wait", "table": table, "where": [["next_cfg", "==", 1]],
         "columns": ["cur_cfg"], "until": "==", "timeout": 15000,
         "rows": [{"cur_cfg": 1}]}])


def main(path):
    with open(path) as file:
        intent = json.load(file)
    hosts = {name: Host(*host["remote"])
             for name, host in intent["hosts"].items()}
    for name, host in hosts.items():
        rules = list(firewall(intent, name))
        host.transact("ms_firewall", rules)
        host.transact("ms_vtep", list(virtual_networks(intent, name)))
        until_in_force(host, "ms_vtep", "Global")
        if len(rules) > 2:
            until_in_force(host, "ms_firewall", "FW_Global")
        result = host.transact("ms_vtep", [
            {"op": "select", "table": "Physical_Port", "where": [],
             "columns": ["name", "status"]}])
        for row in result[0]["rows"]:
            status = dict(row["status"][1])
            print(name, row["name"].strip("{}"), status.get("state"),
                  status.get("reason", "-"))


main(*sys.argv[1:])
