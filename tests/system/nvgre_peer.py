#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""An NVGRE endpoint that shares no code with ours: scapy.

    nvgre_peer.py INTERFACE LOCAL-PA REMOTE-PA VSID

Answers each ICMP echo in the tunnel as 10.1.1.12, and before the answer sends
four forgeries that must not arrive: a wrong VSID, an unknown provider address,
a GRE header with a checksum flag, and one without a key.  Each carries the
payload "forged".  Prints a line for each echo: VSID, flow id, inner checksum.
"""

import sys

from scapy.all import (ICMP, IP, Ether, GRE, Raw, conf, get_if_hwaddr,
                       sniff)

interface, local, remote, vsid = sys.argv[1:4] + [int(sys.argv[4])]
socket = conf.L2socket(iface=interface)
mac = get_if_hwaddr(interface)


def nvgre(inner, src=local, key=None, key_present=1, **fields):
    return (IP(src=src, dst=remote, ttl=64)
            / GRE(proto=0x6558, key_present=key_present,
                  key=vsid << 8 | 7 if key is None else key, **fields)
            / inner)


def answer(frame):
    inner = frame[GRE].payload
    if not inner.haslayer(ICMP) or inner[ICMP].type != 8:
        return
    key = frame[GRE].key
    recomputed = IP(bytes(inner[IP]))
    del recomputed.chksum, recomputed[ICMP].chksum
    good = bytes(IP(bytes(recomputed))) == bytes(inner[IP])
    print(f"vsid {key >> 8} flow {key & 255} proto {frame[GRE].proto:#x} "
          f"checksums {'good' if good else 'BAD'}", flush=True)
    outer = Ether(src=mac, dst=frame.src)
    reply = (Ether(src=inner.dst, dst=inner.src)
             / IP(src=inner[IP].dst, dst=inner[IP].src)
             / ICMP(type=0, id=inner[ICMP].id, seq=inner[ICMP].seq))
    forged = reply / Raw(b"forged")
    for bad in (nvgre(forged, key=(vsid + 1) << 8),
                nvgre(forged, src="192.0.2.77"),
                nvgre(forged, chksum_present=1),
                nvgre(forged, key_present=0, key=0)):
        socket.send(outer / bad)
    socket.send(outer / nvgre(reply / Raw(bytes(inner[ICMP].payload))))


def is_ours(frame):
    return (frame.haslayer(GRE) and frame.haslayer(IP)
            and frame[IP].src == remote and frame[IP].dst == local)


print("ready", flush=True)
sniff(iface=interface, lfilter=is_ours, prn=answer, store=False, timeout=60)
