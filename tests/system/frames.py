#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Frames that a VM may or may not send, for guards.test.

    frames.py list          NAME HEX for each, on lines
    frames.py send IFACE    sends what standard input says in hexadecimal
    frames.py hear IFACE    prints the names of those that come in

A frame that VMs pass on to each other carries its name as payload."""

import socket
import sys

VM1 = "02:00:00:00:00:01"
VM2 = "02:00:00:00:00:02"
VIRTUAL = "00:00:5e:00:01:0a"
MARK = b"frame="


def frames():
    from scapy.all import (
        ARP, BOOTP, DHCP, ICMP, IP, UDP, Ether, ICMPv6MLReport, ICMPv6ND_NA,
        ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, IPv6, Raw)

    def mark(name):
        return Raw(MARK + name.encode() + b";")

    def to_vm2(src=VM1):
        return Ether(src=src, dst=VM2)

    def udp(name, sport=1000, dport=2000):
        return UDP(sport=sport, dport=dport) / mark(name)

    to_all = Ether(src=VM1, dst="ff:ff:ff:ff:ff:ff")
    nodes = Ether(src=VM1, dst="33:33:00:00:00:01")
    victim, victim6 = "10.1.1.13", "fd00:1::13"

    def v4(src="10.1.1.11"):
        return IP(src=src, dst="10.1.1.12")

    def v6(src="fd00:1::11"):
        return IPv6(src=src, dst="fd00:1::12")

    def nd(src, dst="ff02::1"):
        return nodes / IPv6(src=src, dst=dst, hlim=255)

    yield "own_v4", to_vm2() / v4() / udp("own_v4")
    yield "own_v6", to_vm2() / v6() / udp("own_v6")
    yield "formed", to_vm2() / v6("fd00:1::ff:fe00:1") / udp("formed")
    yield "link_local", to_vm2() / v6("fe80::1234") / udp("link_local")
    yield "dhcp_client", (to_all / IP(src="0.0.0.0", dst="255.255.255.255")
                          / udp("dhcp_client", 68, 67))
    yield "no_ip", to_vm2().__class__(src=VM1, dst=VM2, type=0x88b5) / mark(
        "no_ip")
    yield "arp_probe", to_all / ARP(hwsrc=VM1, psrc="0.0.0.0",
                                    pdst="10.1.1.11")
    yield "arp_own", to_all / ARP(hwsrc=VM1, psrc="10.1.1.11",
                                  pdst="10.1.1.12")
    yield "nd_dad", nd("::", "ff02::1:ff00:11") / ICMPv6ND_NS(
        tgt="fd00:1::11")
    yield "nd_own", nd("fd00:1::11") / ICMPv6ND_NS(tgt="fd00:1::12")
    yield "mld", nodes / IPv6(src="::", dst="ff02::1", hlim=1) / (
        ICMPv6MLReport(mladdr="ff02::1:ff00:11"))

    yield "mac", to_vm2("02:00:00:00:00:99") / v4() / udp("mac")
    yield "router_mac", to_vm2("02:00:5e:00:01:01") / v4() / udp("router_mac")
    yield "ip", to_vm2() / v4(victim) / udp("ip")
    yield "ip_none", to_vm2() / v4("0.0.0.0") / udp("ip_none")
    yield "ip6", to_vm2() / v6(victim6) / udp("ip6")
    yield "ip6_none", to_vm2() / v6("::") / udp("ip6_none")
    yield "formed_other", to_vm2() / v6("fd00:1::ff:fe00:2") / udp(
        "formed_other")
    yield "arp", to_all / ARP(op=2, hwsrc=VM1, psrc=victim, pdst="10.1.1.12")
    yield "arp_gateway", to_all / ARP(op=2, hwsrc=VM1, psrc="10.1.1.1",
                                      pdst="10.1.1.1")
    yield "nd", nd(victim6) / ICMPv6ND_NA(tgt=victim6, R=0)
    yield "dhcp_server", (to_all / IP(src="10.1.1.11", dst="255.255.255.255")
                          / UDP(sport=67, dport=68)
                          / BOOTP(op=2, sname=MARK + b"dhcp_server;")
                          / DHCP(options=[("message-type", "offer"), "end"]))
    yield "dhcpv6_server", to_vm2() / v6() / udp("dhcpv6_server", 547, 546)
    yield "ra", nd("fe80::1") / ICMPv6ND_RA()
    yield "redirect6", nd("fe80::1", "fd00:1::12") / ICMPv6ND_Redirect(
        tgt="fe80::1", dst="fd00:9::1")
    yield "redirect", (to_vm2() / v4() / ICMP(type=5, gw="10.1.1.11")
                       / mark("redirect"))
    yield "vrrp", (Ether(src=VIRTUAL, dst=VM2)
                   / IP(src="10.1.1.11", dst="224.0.0.18", proto=112)
                   / mark("vrrp"))
    yield "vrrp_arp", (Ether(src=VIRTUAL, dst="ff:ff:ff:ff:ff:ff")
                       / ARP(hwsrc=VIRTUAL, psrc="10.1.1.100",
                             pdst="10.1.1.100"))
    yield "virtual_ip", (Ether(src=VIRTUAL, dst=VM2) / v4("10.1.1.100")
                         / udp("virtual_ip"))


def packet_socket(iface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((iface, 0))
    return sock


def hear(iface):
    sock = packet_socket(iface)
    print("listening", flush=True)
    while True:
        frame, where = sock.recvfrom(65536)
        at = frame.find(MARK)
        if at >= 0 and where[2] != socket.PACKET_OUTGOING:
            name = frame[at + len(MARK):].split(b";")[0].decode()
            print(name, flush=True)


if sys.argv[1] == "list":
    for name, frame in frames():
        print(name, bytes(frame).hex())
elif sys.argv[1] == "send":
    out = packet_socket(sys.argv[2])
    for line in sys.stdin:
        out.send(bytes.fromhex(line))
else:
    hear(sys.argv[2])
