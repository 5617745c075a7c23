#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Changes policy, waits for cur_cfg, sends one packet.

    obeys.py SOCKET LAB TRIALS SEED SUMMARY

A mapping moves between two provider addresses; a firewall rule lets a port of
UDP pass, or does not; the VM's port is bound, or is not.  The probe is followed
by a packet that always passes, on the same way: once that has come, what has
not come was dropped.  Flows are the same ones again and again, so that cached
decisions are what must be overtaken.
"""

import os
import random
import select
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rows import Server, insert  # noqa: E402
from topology import into, udp_frame  # noqa: E402

PAS = "192.0.2.2", "192.0.2.3"
VM_MAC, VM_IP = "02-00-00-00-00-01", "10.1.1.11"
FAR_MAC, FAR_IP = "02-00-00-00-00-02", "10.1.1.12"
FIXED_MAC, FIXED_IP = "02-00-00-00-00-03", "10.1.1.13"
GUID = "00000000-0000-0000-0000-000000000001"
ASKED, ALWAYS = 80, 6000
LIMIT_S = 5


class Trial:
    def __init__(self, path, lab, rng):
        self.server, self.lab, self.rng = Server(path), lab, rng
        self.number = {"ms_vtep": 0, "ms_firewall": 0}
        self.pa, self.allows, self.token = 0, True, 0
        into(f"{lab}-peer")
        self.wires = []
        for pa in PAS:
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind((pa, 4789))
            wire.setblocking(False)
            self.wires.append(wire)

    def set_up(self):
        self.server.transact("hnv", [
            insert("Provider_Address", {"ip": "192.0.2.1",
                                        "device": "socket"}, "a"),
            insert("Port", {"name": "vm", "type": "tap", "iface_id": GUID,
                            "firewall_default": "block",
                            "options": ["map", [
                                ["netns", f"{self.lab}-vm"],
                                ["interface", "eth0"]]]}, "p"),
            insert("Switch", {"name": "hnv0", "type": "external",
                              "provider_addresses": ["named-uuid", "a"],
                              "ports": ["named-uuid", "p"]}, "s"),
            insert("Host", {"switches": ["named-uuid", "s"]})])
        named = ["named-uuid", "s"]
        operations = [
            insert("Logical_Switch", {"name": "5001", "tunnel_key": 5001},
                   "s"),
            insert("Physical_Port", {
                "name": "{%s}" % GUID,
                "vlan_bindings": ["map", [[0, named]]],
                "other_config": ["map", [["vm_nic_macaddress", VM_MAC]]]},
                "p"),
            insert("Physical_Switch", {"name": "hnv0",
                                       "ports": ["named-uuid", "p"]}, "ps"),
            insert("Global", {"switches": ["named-uuid", "ps"]})]
        for i, pa in enumerate(("192.0.2.1",) + PAS):
            operations.append(insert("Physical_Locator", {
                "encapsulation_type": "vxlan_over_ipv4", "dst_ip": pa},
                f"l{i}"))
        for mac, ip, i in ((VM_MAC, VM_IP, 0), (FAR_MAC, FAR_IP, 1),
                           (FIXED_MAC, FIXED_IP, 2)):
            operations.append(insert("Ucast_Macs_Remote", {
                "MAC": mac, "ipaddr": ip, "mapping_type": "default",
                "logical_switch": named, "locator": ["named-uuid",
                                                     f"l{i}"]}))
        # So that a locator stays when the mapping leaves it.
        operations.append(insert("Ucast_Macs_Remote", {
            "MAC": "02-00-00-00-00-04", "ipaddr": "10.1.1.14",
            "mapping_type": "default", "logical_switch": named,
            "locator": ["named-uuid", "l1"]}))
        replies = self.server.transact("ms_vtep", operations)
        self.subnet = replies[0]["uuid"]
        self.locators = [replies[i]["uuid"] for i in (5, 6)]
        self.server.transact("ms_firewall", [
            insert("FW_Global", {}),
            self.rule("asked", ASKED), self.rule("always", ALWAYS)])
        self.promised("ms_vtep", [])
        self.promised("ms_firewall", [])
        into(f"{self.lab}-vm")
        os.system("ip link set eth0 up")
        self.vm = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.vm.bind(("eth0", 0))

    @staticmethod
    def rule(name, port):
        return insert("FW_Rules", {
            "rule_id": name, "vnic_id": "{%s}" % GUID, "priority": 100,
            "direction": "Outbound", "action": "Allow", "protocols": "UDP",
            "src_ports": "*", "dst_ports": str(port),
            "src_ip_addresses": "*", "dst_ip_addresses": "*",
            "rule_state": "Enabled", "logging_state": "Disabled",
            "rule_type": "RuleWithControllerPriority"})

    def promised(self, database, operations):
        self.number[database] += 1
        number = self.number[database]
        table = "Global" if database == "ms_vtep" else "FW_Global"
        self.server.transact(database, operations + [
            {"op": "update", "table": table, "where": [],
             "row": {"next_cfg": number}}])
        self.server.transact(database, [
            {"op": "wait", "table": table, "where": [], "timeout": 10000,
             "columns": ["cur_cfg"], "until": "==",
             "rows": [{"cur_cfg": number}]}])

    # Each changes something.

    def move(self):
        """By a new row for the old one, or in place."""
        self.pa = 1 - self.pa
        where = [["MAC", "==", FAR_MAC]]
        if self.rng.random() < 0.5:
            operations = [{"op": "update", "table": "Ucast_Macs_Remote",
                           "where": where,
                           "row": {"locator": self.locators[self.pa]}}]
        else:
            operations = [
                {"op": "delete", "table": "Ucast_Macs_Remote",
                 "where": where},
                insert("Ucast_Macs_Remote", {
                    "MAC": FAR_MAC, "ipaddr": FAR_IP,
                    "mapping_type": "default", "logical_switch": self.subnet,
                    "locator": self.locators[self.pa]})]
        self.promised("ms_vtep", operations)

    def permit(self):
        self.allows = not self.allows
        self.promised("ms_firewall", [
            {"op": "update", "table": "FW_Rules",
             "where": [["rule_id", "==", "asked"]], "row": self.rng.choice([
                 {"dst_ports": str(ASKED if self.allows else ASKED + 1),
                  "action": "Allow"},
                 {"dst_ports": str(ASKED),
                  "action": "Allow" if self.allows else "Block"}])}])

    def bind(self):
        """Away and back, so that all of the port's policy is new."""
        where = [["name", "==", "{%s}" % GUID]]
        for bindings in [], [[0, self.subnet]]:
            self.promised("ms_vtep", [
                {"op": "update", "table": "Physical_Port", "where": where,
                 "row": {"vlan_bindings": ["map", bindings]}}])

    def run(self):
        """Returns what is wrong, or None."""
        kind = self.rng.choice([self.move, self.move, self.permit,
                                self.permit, self.bind])
        kind()
        self.token += 2
        self.vm.send(udp_frame(VM_MAC, VM_IP, FAR_MAC, FAR_IP, 4000, ASKED,
                               self.token))
        self.vm.send(udp_frame(VM_MAC, VM_IP, FAR_MAC, FAR_IP, 4000, ALWAYS,
                               self.token + 1))
        expected = {(self.pa, self.token + 1)}
        if self.allows:
            expected.add((self.pa, self.token))
        seen, end = set(), time.monotonic() + LIMIT_S
        while (self.pa, self.token + 1) not in seen:
            if time.monotonic() > end:
                return f"{kind.__name__}: nothing comes; {seen} did"
            select.select(self.wires, [], [], 0.1)
            for i, wire in enumerate(self.wires):
                try:
                    while True:
                        token = wire.recv(2048)[-8:]
                        seen.add((i, int.from_bytes(token, "big")))
                except BlockingIOError:
                    pass
        if seen != expected:
            return f"{kind.__name__}: expected (way, packet) {expected}, " \
                   f"seen {seen}"
        return None


def main():
    path, lab = sys.argv[1:3]
    n, seed, summary = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    trial = Trial(path, lab, random.Random(seed))
    trial.set_up()
    start = time.monotonic()
    for i in range(n):
        problem = trial.run()
        if problem:
            sys.exit(f"seed {seed}, change {i} of {n}: {problem}")
    with open(summary, "w") as file:
        print(f"{n} changes in {time.monotonic() - start:.1f} s, each obeyed "
              "by the next packet", file=file)


main()
