#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Random virtual networks, and what must become of packets in them.

    topology.py LAB-DIR LAB-NAME SECONDS SEED SUMMARY

The intent is changed a step at a time: subnets and routing domains, ports that
are bound, moved and let go, firewall rules, routes, what becomes of broadcast.
Each step is a transaction to each of four agents; then every VM sends to every
other one, by its MAC and by the router, to addresses that are nobody's, and to
all.  Which ports hear a probe, and in which form, follows from the intent alone (expect()): nothing here looks
at what an agent makes of its rows.

Routing domains have the same prefixes, addresses and MACs, so that a packet in
the wrong one finds a taker.
"""

import os
import random
import select
import socket
import struct
import subprocess
import sys
import time
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rows import Server, insert  # noqa: E402
from wires import into, udp_frame  # noqa: E402

N_HOSTS, N_SLOTS, N_NETS, N_ROUTERS, MAX_SUBNETS = 4, 4, 3, 2, 6
ROUTER_MAC = "02-00-5e-00-01-01"
ALL, GROUP = ("ff-ff-ff-ff-ff-ff", "255.255.255.255"), \
    ("01-00-5e-09-09-09", "239.9.9.9")
DST_PORTS = 80, 443, 5000
OUTSIDE = "203.0.113.0/24", "203.0.113.128/25", "203.0.113.200/32"
ENCAPSULATIONS = "vxlan_over_ipv4", "nvgre_over_ipv4"
ANSWER_S, QUIET_S, ATTEMPTS = 2, 0.03, 3


def number(ip):
    return struct.unpack("!I", socket.inet_aton(ip))[0]


def within(ip, prefix):
    network, _, bits = prefix.partition("/")
    shift = 32 - int(bits or 32)
    return number(ip) >> shift == number(network) >> shift


# --- The intent, and what follows from it.

class Slot:
    """Where a VM can be: a port of a host."""

    def __init__(self, host, i, default):
        self.host, self.name, self.default = host, f"h{host}p{i}", default
        self.guid = f"00000000-0000-0000-000{host}-00000000000{i}"
        self.vm, self.rules = None, []

    def __str__(self):
        return self.name


class Subnet:
    def __init__(self, vsid, net, router):
        self.vsid, self.net, self.router = vsid, net, router
        self.replicate, self.routes = "host", {}
        self.prefix = f"10.1.{net}.0/24"

    def __str__(self):
        return f"subnet {self.vsid} ({self.prefix} of {self.router})"


class Router:
    def __init__(self, name):
        self.name, self.is_enabled, self.routes = name, True, {}

    def __str__(self):
        return self.name


class Vm:
    def __init__(self, subnet, host_number, slot, encapsulation):
        self.subnet, self.number, self.slot = subnet, host_number, slot
        self.encapsulation = encapsulation
        self.ip = f"10.1.{subnet.net}.{host_number}"
        self.mac = f"02-00-00-00-{subnet.net:02x}-{host_number:02x}"
        slot.vm = self

    def __str__(self):
        return f"{self.ip} on {self.slot} in {self.subnet}"


class Rule:
    def __init__(self, rng, name):
        def some():
            return rng.choice(["*", "*", "*", "10.1.0.0/24", "10.1.1.0/24",
                               f"10.1.{rng.randrange(N_NETS)}."
                               f"{rng.randrange(10, 14)}",
                               "203.0.113.0/24", "10.1.0.0/23,10.1.2.11"])
        self.name = name
        self.tier = rng.choice(["Admin", "Controller", "Controller"])
        self.direction = rng.choice(["Inbound", "Outbound"])
        self.action = rng.choice(["Allow", "Allow", "Block"])
        self.priority = rng.randrange(100, 105)
        # Of the port's own side little is worth saying.
        own = rng.choice(["*", "*", "*", some()])
        self.src, self.dst = (own, some()) if self.direction == "Outbound" \
            else (some(), own)
        self.ports = rng.choice(["*", "*", "80", "80,443", "400-6000"])
        self.is_enabled = rng.random() < 0.9

    def __str__(self):
        return " ".join(str(v) for v in vars(self).values())

    def matches(self, src, dst, port):
        return self.holds(self.src, src) and self.holds(self.dst, dst) \
            and (self.ports == "*" or any(
                int(p.split("-")[0]) <= port <= int(p.split("-")[-1])
                for p in self.ports.split(",")))

    @staticmethod
    def holds(prefixes, ip):
        return prefixes == "*" or any(within(ip, p)
                                      for p in prefixes.split(","))


class Intent:
    def __init__(self, rng):
        self.rng = rng
        self.slots = [Slot(h, i, rng.choice(["allow", "allow", "block"]))
                      for h in range(N_HOSTS) for i in range(N_SLOTS)]
        self.routers = [Router(f"rdid{i}") for i in range(N_ROUTERS)]
        self.subnets, self.next_vsid, self.n_rules = [], 5001, 0
        for router in self.routers[:2]:
            for net in range(2):
                self.add_subnet_of(router, net)

    def vms(self, subnet=None):
        return [s.vm for s in self.slots
                if s.vm and subnet in (None, s.vm.subnet)]

    def passes(self, slot, direction, src, dst, port):
        rules = [r for r in slot.rules if r.is_enabled]
        allows = slot.default == "allow"
        if not rules:
            return allows
        tiers = [t for t in ("Admin", "Controller")
                 if any(r.tier == t for r in rules)]
        for tier in tiers:
            some = [r for r in rules
                    if r.tier == tier and r.direction == direction
                    and r.matches(src, dst, port)]
            some.sort(key=lambda r: (r.priority, r.action == "Allow"))
            if some:
                verdict = some[0].action == "Allow"
            else:
                verdict = tier != tiers[-1] or allows
            if not verdict:
                return False
        return True

    def find(self, subnet, ip=None, mac=None):
        for vm in self.vms(subnet):
            if vm.ip == ip or vm.mac == mac:
                return vm
        return None

    def route(self, own, ip):
        """The subnet and the address to look for there; None: dropped.  A
        subnet's own route wins over its router's for the same prefix."""
        router, best = own.router, None
        for subnet in self.subnets:
            if subnet.router is router and within(ip, subnet.prefix):
                best = 24, subnet, ip
        for prefix, hop in {**router.routes, **own.routes}.items():
            bits = int(prefix.split("/")[1])
            if within(ip, prefix) and (not best or bits > best[0]):
                best = bits, next((s for s in self.subnets
                                   if s.router is router
                                   and within(hop, s.prefix)), None), hop
        return best and best[1] and best[1:]

    def expect(self, src, mac, ip, port):
        """Who hears a probe: {slot: (MACs, TTL, address)}."""
        if not self.passes(src.slot, "Outbound", src.ip, ip, port):
            return {}
        if int(mac[:2], 16) & 1:
            return self.expect_copies(src, mac, ip, port)
        if mac == ROUTER_MAC:
            router = src.subnet.router
            if not router or not router.is_enabled:
                return {}
            way = self.route(src.subnet, ip)
            dst = way and self.find(way[0], ip=way[1])
            seen = dst and (dst.mac, ROUTER_MAC, 63, ip)
        else:
            dst = self.find(src.subnet, mac=mac)
            seen = dst and (dst.mac, src.mac, 64, ip)
        if not dst or not self.passes(dst.slot, "Inbound", src.ip, ip, port):
            return {}
        return {dst.slot: seen}

    def expect_copies(self, src, mac, ip, port):
        """All others of the subnet, each under its own name or under that of
        all.  Where a subnet ends is known from its router alone."""
        how = src.subnet.replicate
        heard = {}
        is_all = ip in (ALL[1], GROUP[1]) or src.subnet.router
        for vm in self.vms(src.subnet) if how != "none" else []:
            own = vm.ip if how == "vm" and is_all else ip
            if vm is not src and self.passes(vm.slot, "Inbound", src.ip, own,
                                             port):
                heard[vm.slot] = (vm.mac if how == "vm" else mac, src.mac, 64,
                                  own)
        return heard

    # Steps: each changes something and says what, or returns None.

    def add_subnet_of(self, router, net):
        subnet = Subnet(self.next_vsid, net, router)
        self.next_vsid += 1
        self.subnets.append(subnet)
        return subnet

    def free_nets(self, router):
        return [n for n in range(N_NETS) if not router or not any(
            s.router is router and s.net == n for s in self.subnets)]

    def step_add_subnet(self):
        router = self.rng.choice(self.routers + [None])
        nets = self.free_nets(router)
        if not nets or len(self.subnets) == MAX_SUBNETS:
            return None
        return f"add {self.add_subnet_of(router, self.rng.choice(nets))}"

    def step_remove_subnet(self):
        some = [s for s in self.subnets if not self.vms(s)]
        if not some:
            return None
        subnet = self.rng.choice(some)
        self.subnets.remove(subnet)
        return f"remove {subnet}"

    def step_rebind_subnet(self):
        """To another routing domain, with all its VMs."""
        subnet = self.rng.choice(self.subnets)
        some = [r for r in self.routers + [None] if r is not subnet.router
                and subnet.net in self.free_nets(r)]
        if not some:
            return None
        was, subnet.router = str(subnet), self.rng.choice(some)
        return f"{was} goes to {subnet.router}"

    def step_add_vm(self):
        free = [s for s in self.slots if not s.vm]
        if len(free) <= 3:
            return None
        subnet = self.rng.choice(self.subnets)
        taken = {vm.number for vm in self.vms(subnet)}
        numbers = [n for n in range(10, 14) if n not in taken]
        if not numbers:
            return None
        return "add " + str(Vm(subnet, self.rng.choice(numbers),
                               self.rng.choice(free),
                               self.rng.choice(ENCAPSULATIONS)))

    step_add_another_vm = step_add_vm

    def step_remove_vm(self):
        vms = self.vms()
        if len(vms) < 6:
            return None
        vm = self.rng.choice(vms)
        vm.slot.vm = None
        return f"remove {vm}"

    def step_move_vm(self):
        free = [s for s in self.slots if not s.vm]
        if not self.vms():
            return None
        vm = self.rng.choice(self.vms())
        was, vm.slot.vm = str(vm), None
        vm.slot = self.rng.choice(free)
        vm.slot.vm = vm
        return f"move {was} to {vm.slot}"

    step_move_another_vm = step_move_vm

    def step_exchange_vms(self):
        if len(self.vms()) < 2:
            return None
        a, b = self.rng.sample(self.vms(), 2)
        a.slot, b.slot = b.slot, a.slot
        a.slot.vm, b.slot.vm = a, b
        return f"exchange, to {a} and {b}"

    def step_other_encapsulation(self):
        if not self.vms():
            return None
        vm = self.rng.choice(self.vms())
        vm.encapsulation = self.rng.choice(ENCAPSULATIONS)
        return f"{vm} by {vm.encapsulation}"

    def step_add_rule(self):
        slot = self.rng.choice([s for s in self.slots if s.vm]
                               or self.slots)
        if len(slot.rules) == 8:
            return None
        self.n_rules += 1
        slot.rules.append(Rule(self.rng, f"rule{self.n_rules}"))
        return f"rule of {slot}: {slot.rules[-1]}"

    step_add_another_rule = step_add_a_third_rule = step_add_rule

    def step_change_rule(self):
        some = [s for s in self.slots if s.rules]
        if not some:
            return None
        slot = self.rng.choice(some)
        i = self.rng.randrange(len(slot.rules))
        was = slot.rules[i]
        slot.rules[i] = Rule(self.rng, was.name)
        return f"rule of {slot}: {was}, to {slot.rules[i]}"

    def step_remove_rules(self):
        some = [s for s in self.slots if s.rules]
        if not some:
            return None
        slot = self.rng.choice(some)
        # One, or all of them.
        slot.rules = slot.rules[1:] if self.rng.random() < 0.7 else []
        return f"{len(slot.rules)} rules of {slot} stay"

    def step_route(self):
        return self.change_route(self.rng.choice(self.routers))

    def step_own_route(self):
        return self.change_route(self.rng.choice(self.subnets))

    def change_route(self, owner):
        prefix = self.rng.choice(OUTSIDE)
        if prefix in owner.routes and self.rng.random() < 0.5:
            del owner.routes[prefix]
            return f"no route {prefix} of {owner}"
        owner.routes[prefix] = f"10.1.{self.rng.randrange(N_NETS)}." \
                               f"{self.rng.randrange(10, 14)}"
        return f"route {prefix} by {owner.routes[prefix]} of {owner}"

    def step_replicate(self):
        subnet = self.rng.choice(self.subnets)
        subnet.replicate = self.rng.choice(("host", "vm", "vm", "none"))
        return f"a copy to each {subnet.replicate} in {subnet}"

    def step_move_next_hop(self):
        """The VM that a route leads to goes to another host."""
        free = [s for s in self.slots if not s.vm]
        hops = {h for r in self.routers + self.subnets
                for h in r.routes.values()}
        vms = [vm for vm in self.vms() if vm.ip in hops]
        if not vms:
            return None
        vm = self.rng.choice(vms)
        elsewhere = [s for s in free if s.host != vm.slot.host]
        if not elsewhere:
            return None
        was, vm.slot.vm = str(vm), None
        vm.slot = self.rng.choice(elsewhere)
        vm.slot.vm = vm
        return f"move next hop {was} to {vm.slot}"

    def step_switch_router(self):
        router = self.rng.choice(self.routers)
        router.is_enabled = not router.is_enabled or self.rng.random() < 0.5
        return f"{router} is {'on' if router.is_enabled else 'off'}"

    def step(self):
        steps = [getattr(self, n) for n in sorted(dir(self))
                 if n.startswith("step_")]
        while True:
            said = self.rng.choice(steps)()
            if said:
                return said


# --- The controller of one host: rows are what it sent last, by names of its
# --- own, and a transaction is the difference.

class Controller:
    def __init__(self, path, host, rng, namespace):
        self.server, self.host, self.rng = Server(path), host, rng
        self.namespace, self.number = namespace, 0
        self.rows = {"ms_vtep": {}, "ms_firewall": {}}

    def set_up(self, slots):
        operations = [
            insert("Provider_Address", {"ip": f"192.0.2.{self.host + 1}",
                                        "device": "socket"}, "a"),
            insert("Switch", {
                "name": "hnv0", "type": "external",
                "provider_addresses": ["named-uuid", "a"],
                "ports": ["set", [["named-uuid", s.name] for s in slots]]},
                "s"),
            insert("Host", {"switches": ["named-uuid", "s"]})]
        operations += [insert("Port", {
            "name": s.name, "type": "tap", "iface_id": s.guid,
            "firewall_default": s.default, "options": ["map", [
                ["netns", self.namespace], ["interface", s.name]]]}, s.name)
            for s in slots]
        self.server.transact("hnv", operations)

    def rows_of(self, intent):
        """As {name: (table, row)}; a row is referred to by ("ref", name)."""
        rows = {}
        here = [s for s in intent.slots if s.host == self.host]
        rows["anchor"] = "Logical_Switch", {"name": "4000",
                                            "tunnel_key": 4000}
        for host in range(N_HOSTS):
            for e in ENCAPSULATIONS:
                name = f"locator {host} {e}"
                rows[name] = "Physical_Locator", {
                    "encapsulation_type": e, "dst_ip": f"192.0.2.{host + 1}"}
                # So that no locator is ever without a reference.
                rows["anchor " + name] = "Ucast_Macs_Remote", {
                    "MAC": f"02-ff-00-00-{ENCAPSULATIONS.index(e):02x}"
                           f"-{host:02x}", "ipaddr": "",
                    "mapping_type": "default",
                    "logical_switch": ("ref", "anchor"),
                    "locator": ("ref", name)}
        for subnet in intent.subnets:
            rows[f"subnet {subnet.vsid}"] = "Logical_Switch", {
                "name": str(subnet.vsid), "tunnel_key": subnet.vsid,
                "static_routes": ("map", sorted(subnet.routes.items())),
                "other_config": ("map", [("replicate", subnet.replicate)])}
        for router in intent.routers:
            rows[f"router {router.name}"] = "Logical_Router", {
                "name": router.name,
                "enable_logical_router": router.is_enabled,
                "switch_binding": ("map", [
                    (s.prefix, ("ref", f"subnet {s.vsid}"))
                    for s in intent.subnets if s.router is router]),
                "static_routes": ("map", sorted(router.routes.items()))}
        for vm in intent.vms():
            rows[f"mapping {vm.subnet.vsid} {vm.number}"] = \
                "Ucast_Macs_Remote", {
                    "MAC": vm.mac, "ipaddr": vm.ip, "mapping_type": "default",
                    "logical_switch": ("ref", f"subnet {vm.subnet.vsid}"),
                    "locator": ("ref", f"locator {vm.slot.host} "
                                       f"{vm.encapsulation}")}
        for slot in here:
            rows[f"port {slot}"] = "Physical_Port", {
                "name": "{%s}" % slot.guid,
                "vlan_bindings": ("map", [
                    (0, ("ref", f"subnet {slot.vm.subnet.vsid}"))]
                    if slot.vm else []),
                "other_config": ("map", [
                    ("vm_nic_macaddress", slot.vm.mac)] if slot.vm else [])}
        rows["switch"] = "Physical_Switch", {
            "name": "hnv0", "distributed_router_mac": ROUTER_MAC,
            "ports": ("set", [("ref", f"port {s}") for s in here])}
        rows["global"] = "Global", {"switches": ("ref", "switch")}
        return rows

    def rules_of(self, intent):
        rows = {"global": ("FW_Global", {})}
        for slot in intent.slots:
            if slot.host != self.host:
                continue
            for rule in slot.rules:
                rows[f"{slot} {rule.name}"] = "FW_Rules", {
                    "rule_id": rule.name, "vnic_id": "{%s}" % slot.guid,
                    "priority": rule.priority, "direction": rule.direction,
                    "action": rule.action, "protocols": "UDP",
                    "src_ports": "*", "dst_ports": rule.ports,
                    "src_ip_addresses": rule.src,
                    "dst_ip_addresses": rule.dst,
                    "rule_state":
                        "Enabled" if rule.is_enabled else "Disabled",
                    "logging_state": "Disabled",
                    "rule_type": f"RuleWith{rule.tier}Priority"}
        return rows

    def push(self, intent):
        """Both databases; returns when packets obey."""
        self.number += 1
        for database, wanted in (("ms_vtep", self.rows_of(intent)),
                                 ("ms_firewall", self.rules_of(intent))):
            operations = self.difference(self.rows[database], wanted)
            table = "Global" if database == "ms_vtep" else "FW_Global"
            operations.append({"op": "update", "table": table, "where": [],
                               "row": {"next_cfg": self.number}})
            self.server.transact(database, operations)
        for database, table in (("ms_vtep", "Global"),
                                ("ms_firewall", "FW_Global")):
            self.server.transact(database, [
                {"op": "wait", "table": table, "where": [],
                 "columns": ["cur_cfg"], "until": "==", "timeout": 10000,
                 "rows": [{"cur_cfg": self.number}]}])

    def difference(self, rows, wanted):
        """'rows' becomes 'wanted', with UUIDs; in any order."""
        gone, other, new = [], [], []
        anew = {"Ucast_Macs_Remote", "FW_Rules"}
        for name in list(rows):
            table, row, row_uuid = rows[name]
            want = wanted.get(name)
            if want and want[1] == row:
                continue
            if want and (table not in anew or self.rng.random() < 0.3):
                continue
            where = [["_uuid", "==", ["uuid", row_uuid]]]
            # What is no root goes when nobody refers to it.
            if table not in ("Physical_Port", "Physical_Locator"):
                gone.append({"op": "delete", "table": table, "where": where})
            del rows[name]
        for name, (table, row) in wanted.items():
            if name not in rows:
                rows[name] = table, None, str(uuid.UUID(
                    int=self.rng.getrandbits(128), version=4))
        for name, (table, row) in wanted.items():
            _, old, row_uuid = rows[name]
            if old == row:
                continue
            values = {k: self.value(v, rows) for k, v in row.items()}
            if old is None:
                new.append({"op": "insert", "table": table, "row": values,
                            "uuid": row_uuid})
            else:
                changed = {k: v for k, v in values.items()
                           if row[k] != old.get(k)}
                other.append({"op": "update", "table": table,
                              "where": [["_uuid", "==",
                                         ["uuid", row_uuid]]],
                              "row": changed})
            rows[name] = table, row, row_uuid
        operations = gone + other + new
        self.rng.shuffle(operations)
        return operations

    def value(self, value, rows):
        if isinstance(value, tuple) and value[0] == "ref":
            return ["uuid", rows[value[1]][2]]
        if isinstance(value, tuple):
            return [value[0], [
                [self.value(e[0], rows), self.value(e[1], rows)]
                if value[0] == "map" else self.value(e, rows)
                for e in value[1]]]
        return value


# --- Probes.

class Probe:
    def __init__(self, src, mac, ip, port, sport, expected):
        self.src, self.mac, self.ip, self.port = src, mac, ip, port
        self.sport, self.expected, self.heard = sport, expected, set()
        self.seen = set()

    def __str__(self):
        return f"{self.src}, to {self.mac} {self.ip}:{self.port} " \
               f"from {self.sport}"

    def missing(self):
        return self.expected.keys() - self.heard

    def frame(self, token):
        return udp_frame(self.src.mac, self.src.ip, self.mac, self.ip,
                         self.sport, self.port, token)


class Prober:
    def __init__(self, intent, namespace):
        into(namespace)
        self.sockets, self.poll = {}, select.epoll()
        self.slots, self.token, self.probes = {}, 1 << 48, {}
        self.n_sent = self.n_heard = self.n_again = 0
        for slot in intent.slots:
            subprocess.run(["ip", "link", "set", slot.name, "up"], check=True)
            one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                socket.htons(3))
            one.bind((slot.name, 0))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.sockets[slot] = one
            self.slots[one.fileno()] = slot
            self.poll.register(one.fileno(), select.EPOLLIN)

    def plan(self, intent):
        vms, probes = intent.vms(), []

        def add(src, mac, ip, which):
            for i, port in enumerate(DST_PORTS):
                expected = intent.expect(src, mac, ip, port)
                # Who speaks to himself is nobody's business.
                if mac != src.mac and src.slot not in expected:
                    probes.append(Probe(src, mac, ip, port,
                                        20000 + 8 * which + i, expected))
        for src in vms:
            for dst in vms:
                if dst is src:
                    continue
                which = intent.slots.index(dst.slot)
                # By MAC wherever it is, and by the router.
                add(src, dst.mac, dst.ip, which)
                if dst.ip != src.ip:
                    add(src, ROUTER_MAC, dst.ip, 100 + which)
            for i, ip in enumerate(("203.0.113.9", "203.0.113.129",
                                    "203.0.113.200", "198.51.100.1",
                                    "10.1.0.99")):
                add(src, ROUTER_MAC, ip, 200 + i)
            add(src, "02-00-00-00-77-77", "10.1.0.77", 210)
            for i, (mac, ip) in enumerate((
                    ALL, GROUP, (ALL[0], f"10.1.{src.subnet.net}.255"))):
                add(src, mac, ip, 220 + i)
        return probes

    def run(self, probes):
        """Returns the first thing that is not as it must be, or None."""
        self.probes = {t: p for t, p in self.probes.items()
                       if t > self.token - 20000}
        left = probes
        for attempt in range(ATTEMPTS):
            if attempt:
                self.n_again += len(left)
            for i, probe in enumerate(left):
                self.token += 1
                self.probes[self.token] = probe
                self.sockets[probe.src.slot].send(probe.frame(self.token))
                self.n_sent += 1
                problem = i % 8 == 7 and self.hear(0)
                if problem:
                    return problem
            problem = self.wait(left)
            if problem:
                return problem
            left = [p for p in left if p.missing()]
            if not left:
                return None
        return f"{len(left)} not heard, first: {left[0]}: " \
               f"must be heard on {' '.join(map(str, left[0].missing()))}"

    def wait(self, probes):
        """Until all is heard that must be, and then nothing for a while."""
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end and any(
                p.missing() for p in probes):
            problem = self.hear(0.01)
            if problem:
                return problem
        quiet = time.monotonic() + QUIET_S
        while time.monotonic() < quiet:
            problem = self.hear(0.005)
            if problem:
                return problem
        return None

    def hear(self, timeout):
        for fd, _ in self.poll.poll(timeout):
            while True:
                try:
                    frame, address = self.sockets[self.slots[fd]].recvfrom(
                        2048)
                except BlockingIOError:
                    break
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                problem = self.judge(self.slots[fd], frame)
                if problem:
                    return problem
        return None

    def judge(self, slot, frame):
        if len(frame) != 50 or frame[12:14] != b"\x08\x00":
            return None
        token = struct.unpack("!Q", frame[42:50])[0]
        probe = self.probes.get(token)
        if not probe:
            return f"{slot} hears what nobody sent: {frame.hex()}"
        seen = (frame[:6].hex("-"), frame[6:12].hex("-"), frame[22],
                socket.inet_ntoa(frame[30:34]))
        if probe.expected.get(slot) != seen:
            return f"{probe}: {slot} hears it " \
                   f"({' '.join(map(str, seen))}); must: " + (
                       ", ".join(f"{s} ({' '.join(map(str, e))})"
                                 for s, e in probe.expected.items())
                       or "nobody")
        if (slot, token) in probe.seen:
            return f"{probe}: {slot} hears it twice"
        probe.seen.add((slot, token))
        self.n_heard += slot not in probe.heard
        probe.heard.add(slot)
        return None


def main():
    directory, lab = sys.argv[1:3]
    seconds, seed, summary = float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    rng = random.Random(seed)
    intent = Intent(rng)
    controllers = []
    for host in range(N_HOSTS):
        controllers.append(Controller(f"{directory}/h{host}/run/db.sock",
                                      host, random.Random(seed + host),
                                      f"{lab}-vms"))
        controllers[-1].set_up([s for s in intent.slots if s.host == host])
    end, n_steps, prober, said = time.monotonic() + seconds, 0, None, []
    n_expected = 0
    while time.monotonic() < end:
        said = said[-20:]
        for _ in range(1 if n_steps else 20):
            said.append(f"step {n_steps}: {intent.step()}")
        for controller in controllers:
            controller.push(intent)
        prober = prober or Prober(intent, f"{lab}-vms")
        probes = prober.plan(intent)
        problem = prober.run(probes)
        if problem:
            print("\n".join(said))
            print(f"seed {seed}, step {n_steps}: {problem}")
            sys.exit(1)
        n_expected += sum(len(p.expected) for p in probes)
        n_steps += 1
    # A world in which nothing can be said shows nothing.
    if n_steps < 10 or n_expected < prober.n_sent / 50:
        sys.exit(f"seed {seed}: {n_steps} steps, {n_expected} of "
                 f"{prober.n_sent} probes had a taker")
    with open(summary, "w") as file:
        print(f"{n_steps} steps, {prober.n_sent} probes, {n_expected} heard "
              f"by whom they were for, none by others; {prober.n_again} sent "
              "again", file=file)


if __name__ == "__main__":
    main()
