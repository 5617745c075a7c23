#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""The hostile neighbour of hostile.test.

    hostile.py list [wire]      names of what a VM, or somebody in the
                                provider's network, may try, and what is to
                                become of it
    hostile.py attack IFACE     does what standard input says, a line each:
    hostile.py forge IFACE MAC IP
                                "NAME SECONDS", as fast as it can; says "done
                                NAME", and how many frames it sent.  Of "end-..."
                                one, and of "load" many, that may be
    hostile.py hear IFACE       prints each name that comes in, once
    hostile.py judge PHASES PINGS
                                of the output of "ping -D", by phases, lines of
                                "NAME START END": how many were sent and not
                                answered, and the median of the round trips

Each frame carries its name as payload.  Fates: "stops": nobody hears of it.
"tenant": those of the VM's own subnet may, others not."""

import os
import re
import socket
import struct
import sys
import time

MALLORY = "02:00:00:00:00:66"
ALICE, BOB = "02:00:00:00:00:01", "02:00:00:00:00:02"
ROUTER = "02:00:5e:00:01:01"
ADDRESS, ADDRESS6 = "10.1.1.66", "fd00:1::66"
MARK = b"frame="
IP_DST, L4 = 30, 34                     # Where they begin.
PING = re.compile(r"\[([0-9.]+)\].*icmp_seq=(\d+) .*time=([0-9.]+) ms")
ENTROPY = os.urandom(1 << 16)


def mark(s, name):
    return s.Raw(MARK + name.encode() + b";" + bytes(20))


def packets(s):
    """Yields (name, fate, packet, fields): a frame and those of its fields
    that are random each time, as (offset, size)."""

    def eth(dst=ALICE, src=MALLORY):
        return s.Ether(src=src, dst=dst)

    def ip(dst="10.1.1.11", src=ADDRESS, **more):
        return s.IP(src=src, dst=dst, **more)

    def ip6(dst="fd00:1::11", src=ADDRESS6, **more):
        return s.IPv6(src=src, dst=dst, **more)

    def udp(name, sport=1000, dport=2000):
        # No checksum: some of its fields change.
        return s.UDP(sport=sport, dport=dport, chksum=0) / mark(s, name)

    def arp(dst="ff:ff:ff:ff:ff:ff", **more):
        return eth(dst) / s.ARP(hwsrc=MALLORY, **more) / mark(s, "arp")

    def inside(vni, name):
        return (s.VXLAN(vni=vni, flags=8) / s.Ether(src=MALLORY, dst=ALICE)
                / ip() / udp(name))

    # Spoofing.
    yield "mac", "stops", eth(src="02:77:00:00:00:00") / ip() / udp(
        "mac"), [(9, 3)]
    yield "ip", "stops", eth() / ip(src="10.1.1.0") / udp("ip"), [(26, 3)]
    yield "ip6", "stops", eth() / ip6(src="fd00:1::") / udp("ip6"), [(26, 8)]
    yield "other-tenant", "stops", eth(src="02:00:00:00:00:11") / ip(
        src="10.1.1.12") / udp("other-tenant"), []
    yield "arp-gateway", "stops", arp(op=2, psrc="10.1.1.1",
                                      pdst="10.1.1.11"), []
    yield "arp-alice", "stops", arp(op=1, psrc="10.1.1.11",
                                    pdst="10.1.1.11"), []
    yield "nd-alice", "stops", eth("33:33:00:00:00:01") / ip6(
        "ff02::1", hlim=255) / s.ICMPv6ND_NA(tgt="fd00:1::11", R=0) / mark(
            s, "nd-alice"), []
    # Servers that it is not.
    yield "dhcp", "stops", eth("ff:ff:ff:ff:ff:ff") / ip(
        "255.255.255.255") / s.UDP(sport=67, dport=68) / s.BOOTP(
            op=2, sname=MARK + b"dhcp;"), []
    yield "ra", "stops", eth("33:33:00:00:00:01") / ip6(
        "ff02::1", "fe80::66", hlim=255) / s.ICMPv6ND_RA() / mark(s, "ra"), []
    yield "redirect", "stops", eth() / ip() / s.ICMP(
        type=5, gw=ADDRESS) / mark(s, "redirect"), []
    # Floods: what is answered by the host, and what goes to all.
    yield "arp-flood", "stops", arp(psrc=ADDRESS, pdst="10.1.1.0"), [(41, 1)]
    yield "ping-gateway", "stops", eth(ROUTER) / ip("10.1.1.1") / s.ICMP(
        ) / mark(s, "ping-gateway"), []
    yield "ttl", "stops", eth(ROUTER) / ip("10.1.1.12", ttl=1) / udp(
        "ttl"), [(L4, 4)]
    yield "no-route", "stops", eth(ROUTER) / ip("172.16.0.0") / udp(
        "no-route"), [(IP_DST + 2, 2)]
    yield "broadcast", "tenant", eth("ff:ff:ff:ff:ff:ff") / ip(
        "10.1.1.255") / udp("broadcast"), [(L4, 4)]
    yield "unknown-mac", "stops", eth("02:77:00:00:00:00") / ip() / udp(
        "unknown-mac"), [(3, 3)]
    # Scans.
    yield "scan-udp", "tenant", eth() / ip() / udp("scan-udp"), [
        (L4, 4)]
    yield "scan-tcp", "tenant", eth(BOB) / ip("10.1.1.12") / s.TCP(
        flags="S", chksum=0) / mark(s, "scan-tcp"), [(L4, 4)]
    yield "scan-odd", "tenant", eth() / ip(proto=253) / mark(
        s, "scan-odd"), []
    # Fragments.
    yield "fragment-later", "stops", eth() / ip(
        flags=1, frag=100, proto=17) / mark(s, "fragment-later"), [(18, 2)]
    yield "fragment-first", "tenant", eth() / ip(flags=1, proto=17) / udp(
        "fragment-first"), [(18, 2)]
    yield "fragment-tiny", "stops", eth() / ip(
        flags=1, proto=6) / s.Raw(b"frame=f;"), [(18, 2)]
    yield "fragment-end", "stops", eth() / ip(frag=8190, proto=17) / mark(
        s, "fragment-end"), [(18, 2)]
    # Damaged.
    yield "length", "stops", eth() / ip(len=9000) / udp("length"), []
    yield "nested-vlan", "stops", eth() / s.Dot1Q(vlan=1) / s.Dot1Q(
        vlan=5) / ip() / udp("nested-vlan"), []
    # Encapsulated from inside, to hosts and to whoever looks into it.
    yield "vxlan-host", "stops", eth(ROUTER) / ip("192.168.2.20") / s.UDP(
        sport=4789, dport=4789, chksum=0) / inside(6001, "vxlan-host"), []
    yield "vxlan-vm", "tenant", eth() / ip() / s.UDP(
        sport=4789, dport=4789, chksum=0) / inside(6001, "vxlan-vm"), []
    yield "nvgre-vm", "tenant", eth() / ip() / s.GRE(
        key_present=1, proto=0x6558, key=6001 << 8) / s.Ether(
            src=MALLORY, dst=ALICE) / ip() / udp("nvgre-vm"), []


def forgeries(s, mac, to):
    """What comes from the provider's network, to the host at 'to'."""

    def outer(name, vni=5001, src="192.168.9.9", flags=8, dst=ALICE):
        return (s.Ether(dst=mac) / s.IP(src=src, dst=to)
                / s.UDP(sport=4000, dport=4789, chksum=0)
                / s.VXLAN(vni=vni, flags=flags)
                / s.Ether(src=BOB, dst=dst)
                / s.IP(src="10.1.1.12", dst="10.1.1.11")
                / s.UDP(sport=1, dport=2, chksum=0) / mark(s, name))

    known = "192.168.2.20"
    yield "unknown-pa", "stops", outer("unknown-pa"), [(29, 1), (34, 2)]
    yield "unknown-vni", "stops", outer(
        "unknown-vni", 7001, known), [(46, 2), (34, 2)]
    yield "unknown-vm", "stops", outer(
        "unknown-vm", src=known, dst="02:77:00:00:00:00"), [(53, 3)]
    yield "no-vni", "stops", outer("no-vni", 5001, known, 0), []
    yield "nvgre", "stops", (
        s.Ether(dst=mac) / s.IP(src="192.168.9.9", dst=to)
        / s.GRE(key_present=1, proto=0x6558, key=5001 << 8)
        / s.Ether(src=BOB, dst=ALICE) / s.IP(src="10.1.1.12", dst="10.1.1.11")
        / s.UDP(sport=1, dport=2, chksum=0) / mark(s, "nvgre")), [(29, 1)]


def packet_socket(iface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((iface, 0))
    return sock


def checksum(frame):
    """Of the IPv4 header, anew."""
    frame[24:26] = b"\0\0"
    total = sum(struct.unpack("!10H", frame[14:34]))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    struct.pack_into("!H", frame, 24, total ^ 0xffff)


def flood(sock, frame, fields, seconds):
    """A full queue is the sender's own loss."""
    frame = bytearray(frame)
    is_ip4 = frame[12:14] == b"\x08\x00"
    end, n, at = time.monotonic() + seconds, 0, 0
    while True:
        for offset, size in fields:
            at = at + size if at + 2 * size < len(ENTROPY) else 0
            frame[offset:offset + size] = ENTROPY[at:at + size]
        if fields and is_ip4:
            checksum(frame)
        try:
            sock.send(frame)
        except OSError:
            pass
        n += 1
        if n % 16 == 0 or not seconds:
            if time.monotonic() >= end:
                return n


def legitimate(s, name, port):
    return bytes(s.Ether(src=MALLORY, dst=ALICE)
                 / s.IP(src=ADDRESS, dst="10.1.1.11")
                 / s.UDP(sport=port, dport=port, chksum=0) / mark(s, name))


def serve(s, iface, attacks):
    sock = packet_socket(iface)
    ready = {name: (bytes(packet), fields)
             for name, _, packet, fields in attacks}
    ready["load"] = legitimate(s, "load", 9), []
    print("ready", flush=True)
    for line in sys.stdin:
        name, seconds = line.split()
        if name.startswith("end-"):
            ready[name] = legitimate(s, name, 7), []
        print("done", name, flood(sock, *ready[name], float(seconds)),
              flush=True)


def hear(iface):
    sock = packet_socket(iface)
    seen = set()
    print("listening", flush=True)
    while True:
        frame, where = sock.recvfrom(65536)
        at = frame.find(MARK)
        if at < 0 or where[2] == socket.PACKET_OUTGOING:
            continue
        name = frame[at + len(MARK):].split(b";")[0].decode()
        if name not in seen:
            seen.add(name)
            print(name, flush=True)


def judge(phases, pings):
    """A line for each phase: NAME SENT LOST MEDIAN-IN-MICROSECONDS.  What is
    not answered counts to the phase of the answer after it."""
    answers = []
    with open(pings) as lines:
        for line in lines:
            found = PING.match(line)
            if found:
                answers.append((float(found[1]), int(found[2]),
                                float(found[3]) * 1000))
    before = dict(zip((a[1] for a in answers[1:]), (a[1] for a in answers)))
    with open(phases) as lines:
        for line in lines:
            name, start, end = line.split()
            ours = [a for a in answers if float(start) <= a[0] < float(end)]
            trips = sorted(a[2] for a in ours)
            lost = sum(a[1] - before.get(a[1], a[1] - 1) - 1 for a in ours)
            print(name, len(ours) + lost, lost,
                  int(trips[len(trips) // 2]) if trips else 0)


def main(verb, *args):
    if verb == "judge":
        judge(*args)
        return
    if verb == "hear":
        hear(*args)
        return
    import scapy.all as s
    if verb == "attack":
        serve(s, args[0], packets(s))
    elif verb == "forge":
        serve(s, args[0], forgeries(s, *args[1:]))
    elif verb == "list":
        for name, fate, _, _ in (forgeries(s, ROUTER, "192.0.2.1") if args
                                 else packets(s)):
            print(name, fate)


main(*sys.argv[1:])
