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

Prints lines of "name value unit".  Changes that take POLICY_SLOW milliseconds
or more are followed by what the agent's main thread did meanwhile, as far as it
took a millisecond; POLICY_READY is a command to run before changes are timed.
"""

import ctypes
import json
import os
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "system"))

from rows import Server, insert  # noqa: E402
from wires import (Wires, in_force, locator_rows, locators,  # noqa: E402
                   mapping_row, port_socket, rule_row, switch_rows, tap_row,
                   udp_frame)

N_SUBNETS, N_ROUTERS, N_RULES = 100, 10, 10
PER_TRANSACTION, UNDER_WAY = 1000, 4
PROBE_S, LIMIT_S = 50e-6, 5
MUST_MS = 5
SLOW_MS = float(os.environ.get("POLICY_SLOW", "inf"))
READY = os.environ.get("POLICY_READY")
PR_SET_TIMERSLACK = 29


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
            self.socket = port_socket(self.namespace, self.name)
        return self.socket

    def probe(self, mapping, port):
        """(frame, token)"""
        token = int.from_bytes(os.urandom(8), "big")
        return udp_frame(self.mac, self.ip, mapping.mac, mapping.ip, 4000,
                         port, token), token


class Bench:
    def __init__(self, path, pid, lab, n_ports, rounds):
        self.path, self.pid, self.lab = path, pid, lab
        self.server, self.rounds = Server(path), rounds
        self.random = random.Random(1)
        self.ports = [Port(i, f"{lab}-vms") for i in range(n_ports)]
        self.spare = Port(n_ports, f"{lab}-vms")
        self.mappings, self.moved = [], {}
        self.rule_port = 7000
        self.wires = Wires(lab)
        self.agent = Server(os.path.dirname(path) + "/hnv-agent.ctl")
        # A sleep of fifty microseconds is to be no longer.
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1)

    # --- What is there before anything is timed.

    def set_up(self):
        self.server.transact("hnv", switch_rows())
        for port in self.ports + [self.spare]:
            self.server.transact("hnv", [
                tap_row(port.name, port.guid, port.namespace, port.name,
                        mac=port.mac, firewall_default=
                        "allow" if port is self.spare else "block"),
                {"op": "mutate", "table": "Switch", "where": [],
                 "mutations": [["ports", "insert",
                                ["named-uuid", "port"]]]}])
        self.fabric()
        self.bind(self.ports)
        self.firewall()
        self.in_force()
        with os.popen(f"ip -n {self.lab}-vms -batch -", "w") as ip:
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
        operations += locator_rows(names[0])
        operations += [
            insert("Physical_Switch", {"name": "hnv0"}, "ps"),
            insert("Global", {"switches": ["named-uuid", "ps"],
                              "next_cfg": 0, "cur_cfg": 0})]
        results = self.server.transact("ms_vtep", operations)
        self.subnets = [r["uuid"] for r in results[:N_SUBNETS]]
        self.locators = locators(results[N_SUBNETS + N_ROUTERS:-2])

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
            mapping_row(port.mac, port.ip, self.subnets[port.subnet],
                        self.locators[0])]

    def firewall(self):
        self.server.transact("ms_firewall", [
            insert("FW_Global", {"next_cfg": 0, "cur_cfg": 0})])
        for port in self.ports:
            self.server.transact("ms_firewall", [
                rule_row(f"r{i}", port.guid,
                         str(8000 + i) if i else "6000,7000",
                         "Inbound" if i % 2 else "Outbound", 100 + i)
                for i in range(N_RULES)])

    def in_force(self):
        for database in "ms_vtep", "ms_firewall":
            in_force(self.server, database)

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
                ["ms_vtep"] + [mapping_row(
                    m.mac, m.ip, self.subnets[m.subnet], self.locators[1])
                    for m in some]}).encode())
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

    def time(self, database, operations, port, probe, wire):
        """Sends them; milliseconds until a probe comes by the wire."""
        frame, token = probe
        probes = port.open()
        message = json.dumps({"method": "transact", "id": "change",
                              "params": [database] + operations}).encode()
        for _ in self.wires.take():
            pass
        start = time.perf_counter()
        self.server.socket.sendall(message)
        end = None
        while not end:
            now = time.perf_counter()
            if now - start > LIMIT_S:
                sys.exit(f"no probe obeys: {operations}")
            probes.send(frame)
            self.wires.wait(PROBE_S)
            if (wire, token) in self.wires.take():
                end = time.perf_counter()
        self.answer()
        took = (end - start) * 1e3
        if took >= SLOW_MS:
            self.explain(start, end)
        return took

    def explain(self, start, end):
        """perf_counter() is the clock that the agent looks at."""
        print(f"slow: {(end - start) * 1e3:.3f} ms", flush=True)
        self.agent.send({"method": "turns/show", "id": 0, "params": ["1"]})
        for line in self.agent.read()["result"].splitlines():
            word = line.split(" ", 1)[0]
            if "." in word and start - 1e-3 <= float(word) <= end:
                print(f"  at {(float(word) - start) * 1e3:+.3f} ms for "
                      f"{line[len(word) + 1:]}", flush=True)

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
            mapping_row(mapping.mac, mapping.ip,
                        self.subnets[mapping.subnet],
                        self.locators[1 + wire])],
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
        # What follows the last one's answer is its, too.
        self.in_force()
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
        say(f"mappings_{size}_answered", answered, "s")
        say(f"mappings_{size}_in_force", took, "s",
            15 if size == 1000000 else None)
        say(f"mappings_{size}_bytes_each", (bench.rss() - empty) / size,
            "bytes", 500 if size == 1000000 else None)
        if READY:
            os.system(READY)
        for kind in kinds:
            bench.measure(kind, getattr(bench, f"{kind}_once"), size)


main()
