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
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rows import Server, insert  # noqa: E402
from wires import (Wires, in_force, locator_rows, locators,  # noqa: E402
                   mapping_row, port_socket, rule_row, switch_rows, tap_row,
                   udp_frame)

VM_MAC, VM_IP = "02-00-00-00-00-01", "10.1.1.11"
FAR_MAC, FAR_IP = "02-00-00-00-00-02", "10.1.1.12"
GUID = "00000000-0000-0000-0000-000000000001"
ASKED, ALWAYS = 80, 6000
LIMIT_S = 5


class Trial:
    def __init__(self, path, lab, rng):
        self.server, self.lab, self.rng = Server(path), lab, rng
        self.pa, self.allows, self.token = 0, True, 0
        self.wires = Wires(lab)

    def set_up(self):
        self.server.transact("hnv", switch_rows([
            tap_row("vm", GUID, f"{self.lab}-vm", "eth0",
                    firewall_default="block")]))
        named = ["named-uuid", "s"]
        results = self.server.transact("ms_vtep", [
            insert("Logical_Switch", {"name": "5001", "tunnel_key": 5001},
                   "s"),
            insert("Physical_Port", {
                "name": "{%s}" % GUID,
                "vlan_bindings": ["map", [[0, named]]],
                "other_config": ["map", [["vm_nic_macaddress", VM_MAC]]]},
                "p"),
            insert("Physical_Switch", {"name": "hnv0",
                                       "ports": ["named-uuid", "p"]}, "ps"),
            insert("Global", {"switches": ["named-uuid", "ps"]}),
            mapping_row(VM_MAC, VM_IP, named, ["named-uuid", "l0"]),
            mapping_row(FAR_MAC, FAR_IP, named, ["named-uuid", "l1"])]
            + locator_rows(named))
        self.subnet = results[0]["uuid"]
        self.locators = locators(results[6:])[1:]
        self.server.transact("ms_firewall", [
            insert("FW_Global", {}), rule_row("asked", GUID, str(ASKED)),
            rule_row("always", GUID, str(ALWAYS))])
        self.promised("ms_vtep")
        self.promised("ms_firewall")
        os.system(f"ip -n {self.lab}-vm link set eth0 up")
        self.vm = port_socket(f"{self.lab}-vm", "eth0")

    def promised(self, database, operations=()):
        in_force(self.server, database, operations, 10000)

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
                mapping_row(FAR_MAC, FAR_IP, self.subnet,
                            self.locators[self.pa])]
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
            self.wires.wait(0.1)
            seen.update(self.wires.take())
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
