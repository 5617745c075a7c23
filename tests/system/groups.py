#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Somebody who wants multicast groups, or speaks to them.

    groups.py join DEVICE GROUP...    joins until it is ended; prints "joined"
    groups.py send DEVICE GROUP N [PORT]
                                      sends N datagrams
    groups.py count DEVICE GROUP      counts datagrams that arrive, whoever
                                      wants them; prints the count at each one
                                      to 224.0.0.99, which is for everybody
    groups.py hear DEVICE             for each datagram to PORT or DHCP's a line
                                      "frame MAC IP PORT" as it arrives, and
                                      "datagram IP" if the kernel has it for
                                      somebody who has joined nothing; "mark"
                                      for one to port 9
"""

import select
import socket
import struct
import sys

PORT = 5353 + 1000
MARK = "224.0.0.99"


def family_of(group):
    return socket.AF_INET6 if ":" in group else socket.AF_INET


def join(device, *groups):
    index = socket.if_nametoindex(device)
    held = []
    for group in groups:
        family = family_of(group)
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", PORT))
        if family == socket.AF_INET:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         struct.pack("=4s4si", socket.inet_aton(group),
                                     bytes(4), index))
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         socket.inet_pton(family, group)
                         + struct.pack("=i", index))
        held.append(s)
    print("joined", flush=True)
    while True:
        held[0].recv(2048)


def send(device, group, n, port=PORT):
    index = socket.if_nametoindex(device)
    s = socket.socket(family_of(group), socket.SOCK_DGRAM)
    if s.family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                     struct.pack("=4s4si", bytes(4), bytes(4), index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        where = (group, int(port))
        if not 224 <= int(group.split(".")[0]) < 240:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                         device.encode())
    else:
        where = (group, int(port), 0, index)
    for _ in range(int(n)):
        s.sendto(bytes(100), where)


def count(device, group):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((device, 3))
    addr = socket.inet_pton(family_of(group), group)
    mark = socket.inet_aton(MARK)
    n = 0
    print("listening", flush=True)
    while True:
        frame, where = s.recvfrom(2048)
        at = 30 if len(addr) == 4 else 38
        if where[2] != 4 and frame[at:at + len(addr)] == addr \
                and len(frame) > 100:
            n += 1
        elif where[2] != 4 and frame[30:34] == mark:
            print(n, flush=True)


def hear(device):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((device, 3))
    plain = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    plain.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    plain.bind(("::", PORT))
    print("listening", flush=True)
    while True:
        for s in select.select([raw, plain], [], [])[0]:
            if s is plain:
                info = s.recvmsg(2048, 256)[1][0][2]
                ip = socket.inet_ntop(socket.AF_INET6, info[:16])
                print("datagram", ip.replace("::ffff:", ""), flush=True)
            else:
                hear_frame(*s.recvfrom(2048))


def hear_frame(frame, where):
    is_v6 = frame[12:14] == b"\x86\xdd"
    if where[2] == 4 or frame[20 if is_v6 else 23] != 17:
        return
    at, size, l4 = (38, 16, 54) if is_v6 else (30, 4, 34)
    ip = socket.inet_ntop(socket.AF_INET6 if is_v6 else socket.AF_INET,
                          frame[at:at + size])
    port = struct.unpack("!H", frame[l4 + 2:l4 + 4])[0]
    if port == 9:
        print("mark", flush=True)
    elif port in (PORT, 67):
        print("frame", frame[:6].hex(":"), ip, port, flush=True)


{"join": join, "send": send, "count": count, "hear": hear}[sys.argv[1]](*sys.argv[2:])
