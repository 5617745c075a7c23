#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Times an agent's policy by packets.

    policy.py SOCKET PID LAB KINDS PORTS ROUNDS SIZE...

Ports are taps in the namespace LAB-vms, and wires end in LAB-peer.  A hundred
subnets, ten to a router, share ports and mappings.  While a probe is sent every
fifty microseconds, a transaction changes something; what counts is the time
from its first byte to the arrival of the first probe that obeys:

    moved   a mapping goes to another provider address
    rule    one of ten firewall rules that all ports have is changed for all
    bound   a port that had no policy gets a subnet and a mapping

Prints lines of "name value unit".
"""

import ctypes
import json
import os
import random
import select
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "system"))

from rows import Server, insert  # noqa: E402

N_SUBNETS, N_ROUTERS, N_RULES = 100, 10, 10
PER_TRANSACTION, UNDER_WAY = 1000, 4
PROBE_S, LIMIT_S = 50e-6, 5
MUST_MS, AIM_MS = 5, 1
PAS = "192.0.2.2", "192.0.2.3"


def into(namespace):
    """A socket belongs to the namespace that it was made in."""
    with open(f"/run/netns/{namespace}", "rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            sys.exit(f"setns {namespace}: {os.strerror(ctypes.get_errno())}")


def say(name, value, unit, must=None):
    verdict = ""
    if must is not None:
        verdict = f"  # {value / must:.2f} of must {must}: " \
                  + ("PASS" if value <= must else "SHORT")
    print(f"{name} {value:.3f} {unit}{verdict}", flush=True)


class Mapping:
    """The i-th remote one."""

    def __init__(self, i):
        self.subnet, self.host = i % N_SUBNETS, i // N_SUBNETS + 2
        self.mac = f"02-01-{i >> 24:02x}-{i >> 16 & 255:02x}-" \
                   f"{i >> 8 & 255:02x}-{i & 255:02x}"
        self.ip = f"10.{self.subnet}.{self.host >> 8}.{self.host & 255}"


class Port:
    def __init__(self, i, namespace):
        self.name, self.guid = f"v{i}", f"00000000-0000-0000-0000-{i:012x}"
        self.subnet = i % N_SUBNETS
        self.mac = f"02-00-00-00-{i >> 8:02x}-{i & 255:02x}"
        self.ip = f"10.{self.subnet}.250.{i // N_SUBNETS + 1}"
        self.namespace, self.socket = namespace, None

    def open(self):
        if not self.socket:
            into(self.namespace)
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.bind((self.name, 0))
        return self.socket

    def probe(self, mapping, port):
        """A datagram of UDP; nobody sums up."""
        def mac(text):
            return bytes.fromhex(text.replace("-", ""))
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 36, 0, 0, 64, 17, 0,
                             socket.inet_aton(self.ip),
                             socket.inet_aton(mapping.ip))
        total = sum(struct.unpack("!10H", header))
        total = (total & 0xffff) + (total >> 16)
        total = ~((total & 0xffff) + (total >> 16)) & 0xffff
        return (mac(mapping.mac) + mac(self.mac) + b"\x08\x00"
                + header[:10] + struct.pack("!H", total) + header[12:]
                + struct.pack("!HHHH8s", 4000, port, 16, 0, os.urandom(8)))


class Bench:
    def __init__(self, path, pid, lab, n_ports, rounds):
        self.path, self.pid, self.lab = path, pid, lab
        self.server, self.rounds = Server(path), rounds
        self.random = random.Random(1)
        self.ports = [Port(i, f"{lab}-vms") for i in range(n_ports)]
        self.spare = Port(n_ports, f"{lab}-vms")
        self.mappings, self.moved = [], {}
        self.rule_port = 7000
        into(f"{lab}-peer")
        self.wires = []
        for pa in PAS:
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.bind((pa, 4789))
            wire.setblocking(False)
            self.wires.append(wire)

    # --- What is there before anything is timed.

    def set_up(self):
        self.server.transact("hnv", [
            insert("Provider_Address", {"ip": "192.0.2.1",
                                        "device": "socket"}, "pa"),
            insert("Switch", {"name": "hnv0", "type": "external",
                              "provider_addresses": ["named-uuid", "pa"]},
                   "s"),
            insert("Host", {"switches": ["named-uuid", "s"]})])
        for port in self.ports + [self.spare]:
            self.server.transact("hnv", [
                insert("Port", {
                    "name": port.name, "type": "tap", "mac": port.mac,
                    "iface_id": port.guid, "options": ["map", [
                        ["netns", f"{self.lab}-vms"],
                        ["interface", port.name]]],
                    "firewall_default":
                        "allow" if port is self.spare else "block"}, "p"),
                {"op": "mutate", "table": "Switch", "where": [],
                 "mutations": [["ports", "insert", ["named-uuid", "p"]]]}])
        self.fabric()
        self.bind(self.ports)
        self.firewall()
        self.in_force()
        into(f"{self.lab}-vms")
        with os.popen("ip -batch -", "w") as ip:
            for port in self.ports + [self.spare]:
                print(f"link set {port.name} up", file=ip)

    def fabric(self):
        names = [["named-uuid", f"s{i}"] for i in range(N_SUBNETS)]
        operations = [insert("Logical_Switch", {
            "name": str(5000 + i), "tunnel_key": 5000 + i}, f"s{i}")
            for i in range(N_SUBNETS)]
        operations += [insert("Logical_Router", {
            "name": f"r{r}", "enable_logical_router": True,
            "switch_binding": ["map", [
                [f"10.{i}.0.0/16", names[i]]
                for i in range(r, N_SUBNETS, N_ROUTERS)]]})
            for r in range(N_ROUTERS)]
        # So that no locator is ever without a reference.
        for i, pa in enumerate(("192.0.2.1",) + PAS):
            operations += [
                insert("Physical_Locator", {
                    "encapsulation_type": "vxlan_over_ipv4", "dst_ip": pa},
                    f"l{i}"),
                insert("Ucast_Macs_Remote", {
                    "MAC": f"02-02-00-00-00-{i:02x}",
                    "ipaddr": f"10.0.251.{i}", "mapping_type": "default",
                    "logical_switch": names[0],
                    "locator": ["named-uuid", f"l{i}"]})]
        operations += [
            insert("Physical_Switch", {"name": "hnv0"}, "ps"),
            insert("Global", {"switches": ["named-uuid", "ps"],
                              "next_cfg": 0, "cur_cfg": 0})]
        results = self.server.transact("ms_vtep", operations)
        self.subnets = [r["uuid"] for r in results[:N_SUBNETS]]
        self.locators = [r["uuid"] for r in
                         results[N_SUBNETS + N_ROUTERS:][:6:2]]
        self.physical_switch = results[-2]["uuid"]

    def bind(self, ports):
        for port in ports:
            self.server.transact("ms_vtep", self.binding(port))

    def binding(self, port):
        return [
            insert("Physical_Port", {
                "name": "{%s}" % port.guid, "vlan_bindings": ["map", [
                    [0, self.subnets[port.subnet]]]]}, "p"),
            {"op": "mutate", "table": "Physical_Switch", "where": [],
             "mutations": [["ports", "insert", ["named-uuid", "p"]]]},
            insert("Ucast_Macs_Remote", {
                "MAC": port.mac, "ipaddr": port.ip,
                "mapping_type": "default",
                "logical_switch": self.subnets[port.subnet],
                "locator": self.locators[0]})]

    def firewall(self):
        self.server.transact("ms_firewall", [
            insert("FW_Global", {"next_cfg": 0, "cur_cfg": 0})])
        for port in self.ports:
            self.server.transact("ms_firewall", [
                insert("FW_Rules", {
                    "rule_id": f"r{i}", "vnic_id": "{%s}" % port.guid,
                    "priority": 100 + i, "direction":
                        "Inbound" if i % 2 else "Outbound",
                    "action": "Allow", "protocols": "UDP",
                    "dst_ports": str(8000 + i) if i else "6000,7000",
                    "src_ports": "*", "src_ip_addresses": "*",
                    "dst_ip_addresses": "*", "rule_state": "Enabled",
                    "logging_state": "Disabled",
                    "rule_type": "RuleWithControllerPriority"})
                for i in range(N_RULES)])

    def in_force(self):
        for database, table in (("ms_vtep", "Global"),
                                ("ms_firewall", "FW_Global")):
            number = self.server.transact(database, [
                {"op": "mutate", "table": table, "where": [],
                 "mutations": [["next_cfg", "+=", 1]]},
                {"op": "select", "table": table, "where": [],
                 "columns": ["next_cfg"]}])[1]["rows"][0]["next_cfg"]
            self.server.transact(database, [
                {"op": "wait", "table": table, "where": [],
                 "columns": ["cur_cfg"], "until": "==", "timeout": 120000,
                 "rows": [{"cur_cfg": number}]}])

    # --- The CA-PA database.

    def load(self, size):
        """Up to 'size' mappings; returns how long it took."""
        texts = []
        first = len(self.mappings)
        for at in range(first, size, PER_TRANSACTION):
            some = [Mapping(i)
                    for i in range(at, min(at + PER_TRANSACTION, size))]
            self.mappings += some
            texts.append(json.dumps({
                "method": "transact", "id": f"load{at}", "params":
                ["ms_vtep"] + [insert("Ucast_Macs_Remote", {
                    "MAC": m.mac, "ipaddr": m.ip, "mapping_type": "default",
                    "logical_switch": self.subnets[m.subnet],
                    "locator": self.locators[1]}) for m in some]}).encode())
        start = time.monotonic()
        n_answers = 0
        for i, text in enumerate(texts):
            self.server.socket.sendall(text)
            if i >= UNDER_WAY:
                self.answer()
                n_answers += 1
        for _ in range(len(texts) - n_answers):
            self.answer()
        answered = time.monotonic() - start
        self.in_force()
        return answered, time.monotonic() - start

    def answer(self):
        reply = self.server.read()
        if reply.get("method") == "echo":
            self.server.send({"id": reply["id"], "result": reply["params"],
                              "error": None})
            self.answer()
        elif reply.get("error") or any(r and "error" in r
                                       for r in reply["result"]):
            sys.exit(f"refused: {str(reply)[:500]}")

    def rss(self):
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) * 1024

    # --- Changes.

    def time(self, database, operations, port, frame, wire):
        """Sends them; milliseconds until a probe comes by the wire."""
        probes, token = port.open(), frame[-8:]
        message = json.dumps({"method": "transact", "id": "change",
                              "params": [database] + operations}).encode()
        for other in self.wires:
            self.drain(other)
        start = time.perf_counter()
        self.server.socket.sendall(message)
        end = None
        while end is None:
            now = time.perf_counter()
            if now - start > LIMIT_S:
                sys.exit(f"no probe obeys: {operations}")
            probes.send(frame)
            until = now + PROBE_S
            while end is None and now < until:
                try:
                    if self.wires[wire].recv(2048).endswith(token):
                        end = time.perf_counter()
                except BlockingIOError:
                    pass
                now = time.perf_counter()
        self.answer()
        return (end - start) * 1e3

    @staticmethod
    def drain(wire):
        try:
            while True:
                wire.recv(2048)
        except BlockingIOError:
            pass

    def moved_once(self):
        i = self.random.randrange(len(self.mappings))
        mapping = self.mappings[i]
        wire = self.moved[i] = 1 - self.moved.get(i, 0)
        port = self.random.choice([p for p in self.ports
                                   if p.subnet == mapping.subnet])
        return self.time("ms_vtep", [
            {"op": "delete", "table": "Ucast_Macs_Remote",
             "where": [["ipaddr", "==", mapping.ip],
                       ["MAC", "==", mapping.mac]]},
            insert("Ucast_Macs_Remote", {
                "MAC": mapping.mac, "ipaddr": mapping.ip,
                "mapping_type": "default",
                "logical_switch": self.subnets[mapping.subnet],
                "locator": self.locators[1 + wire]})],
            port, port.probe(mapping, 6000), wire)

    def rule_once(self):
        self.rule_port += 1
        port = self.random.choice(self.ports)
        mapping, wire = self.known(port.subnet)
        return self.time("ms_firewall", [
            {"op": "update", "table": "FW_Rules",
             "where": [["rule_id", "==", "r0"]],
             "row": {"dst_ports": f"6000,{self.rule_port}"}}],
            port, port.probe(mapping, self.rule_port), wire)

    def bound_once(self):
        port = self.spare
        mapping, wire = self.known(port.subnet)
        took = self.time("ms_vtep", self.binding(port), port,
                         port.probe(mapping, 6000), wire)
        physical = self.server.transact("ms_vtep", [
            {"op": "select", "table": "Physical_Port", "columns": ["_uuid"],
             "where": [["name", "==", "{%s}" % port.guid]]},
            {"op": "delete", "table": "Ucast_Macs_Remote",
             "where": [["MAC", "==", port.mac]]}])[0]["rows"][0]["_uuid"]
        self.server.transact("ms_vtep", [
            {"op": "mutate", "table": "Physical_Switch", "where": [],
             "mutations": [["ports", "delete", physical]]}])
        self.in_force()
        return took

    def known(self, subnet):
        i = self.random.randrange(len(self.mappings) // N_SUBNETS) \
            * N_SUBNETS + subnet
        return self.mappings[i], self.moved.get(i, 0)

    def ran(self):
        """The main thread's time on a CPU so far, in milliseconds."""
        with open(f"/proc/{self.pid}/task/{self.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e6

    def measure(self, name, once, size):
        before = self.ran()
        rounds = [once() for _ in range(self.rounds)]
        ran = (self.ran() - before) / self.rounds
        rounds.sort()
        size = {1000: "1k", 100000: "100k", 1000000: "1m"}.get(size, size)
        say(f"{name}_{size}_p50", rounds[len(rounds) // 2], "ms")
        say(f"{name}_{size}_p99", rounds[len(rounds) * 99 // 100], "ms",
            MUST_MS)
        # Of a busy machine this tells more: all of the agent's work for it,
        # also what comes after the packet, and the port's unbinding.
        say(f"{name}_{size}_agent_cpu", ran, "ms")


def main():
    path, pid, lab = sys.argv[1:4]
    kinds = sys.argv[4].split()
    n_ports, rounds, *sizes = map(int, sys.argv[5:])
    bench = Bench(path, pid, lab, n_ports, rounds)
    start = time.monotonic()
    bench.set_up()
    say(f"ports_{n_ports}_in_force", time.monotonic() - start, "s")
    empty, answered, took = bench.rss(), 0, 0
    for size in sizes:
        n = len(bench.mappings)
        some = bench.load(size)
        answered += some[0]
        took += some[1]
        open(os.path.dirname(path) + "/../../policy.go", "w").close()
        say(f"mappings_{size}_answered", answered, "s")
        say(f"mappings_{size}_in_force", took, "s",
            15 if size == 1000000 else None)
        say(f"mappings_{size}_bytes_each", (bench.rss() - empty) / size,
            "bytes", 500 if size == 1000000 else None)
        for kind in kinds:
            bench.measure(kind, getattr(bench, f"{kind}_once"), size)


main()
