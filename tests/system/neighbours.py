#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Speaks ARP and neighbour discovery on eth0, for responder.test.

    neighbours.py EVENT MAC SOURCE TARGET
        EVENT is request, refresh, probe, announce or reply, of IPv4 or IPv6 as
        TARGET is.  Prints the MAC of the answer about TARGET, or "silence".
    neighbours.py flood SECONDS RATE MAC SOURCE TARGET
        Asks RATE times a second, and prints how often that was in truth.
    neighbours.py latency N MAC SOURCE TARGET
        Asks N times, waiting for the answer, and prints microseconds: the
        median and the 99th percentile; what was lost counts as a second."""

import ipaddress
import select
import socket
import struct
import sys
import time

ALL = bytes(6 * [255])
SILENCE = 0.3


def mac_of(text):
    return bytes.fromhex(text.replace("-", "").replace(":", ""))


def summed(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arp(event, mac, source, target):
    to = mac_of("020000000099") if event in ("refresh", "reply") else ALL
    if event == "probe":
        source = bytes(4)
    elif event == "announce":
        source = target
    return (to + mac + b"\x08\x06\0\x01\x08\0\x06\x04\0"
            + (b"\x02" if event == "reply" else b"\x01")
            + mac + source + bytes(6) + target)


def nd(event, mac, source, target):
    to = b"\xff\x02" + bytes(9) + b"\x01\xff" + target[13:]
    to_mac = b"\x33\x33\xff" + target[13:]
    option = b"\x01\x01" + mac
    kind, flags = 135, 0
    if event == "refresh":
        to, to_mac = target, mac_of("020000000099")
    elif event == "probe":
        source, option = bytes(16), b""
    elif event in ("announce", "reply"):
        kind, flags = 136, 0x60 if event == "reply" else 0x20
        source = target if event == "announce" else source
        to = b"\xff\x02" + bytes(13) + b"\x01"
        to_mac, option = b"\x33\x33\0\0\0\x01", b"\x02\x01" + mac
    body = bytes([kind, 0, 0, 0, flags, 0, 0, 0]) + target + option
    total = summed(source + to + struct.pack("!II", len(body), 58) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    return (to_mac + mac + b"\x86\xdd\x60\0\0\0"
            + struct.pack("!HBB", len(body), 58, 255) + source + to + body)


def question(event, mac, source, target):
    make = arp if len(target) == 4 else nd
    return make(event, mac, source, target)


def answer(frame, target):
    """The MAC that it says the target has, or None."""
    if len(target) == 4:
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x02" and (
                frame[28:32] == target):
            return frame[22:28]
    elif frame[12:14] == b"\x86\xdd" and frame[20] == 58 and (
            frame[54] == 136 and frame[62:78] == target):
        return frame[80:86]
    return None


def wait(sock, target, seconds):
    until = time.monotonic() + seconds
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return None
        frame, where = sock.recvfrom(2048)
        if where[2] == socket.PACKET_OUTGOING:
            continue
        mac = answer(frame, target)
        if mac:
            return mac


def flood(sock, frame, seconds, rate):
    start, n = time.monotonic(), 0
    while True:
        passed = time.monotonic() - start
        if passed >= seconds:
            break
        for _ in range(64):
            try:
                sock.send(frame)
                n += 1
            except OSError:
                break
        ahead = n / rate - (time.monotonic() - start)
        if ahead > 0:
            time.sleep(ahead)
    print(int(n / seconds))


def latency(sock, frame, target, n):
    taken = []
    for _ in range(n):
        start = time.monotonic()
        sock.send(frame)
        got = wait(sock, target, 1)
        taken.append(time.monotonic() - start if got else 1)
        time.sleep(0.002)
    taken.sort()
    print(int(taken[n // 2] * 1e6), int(taken[n * 99 // 100] * 1e6))


def main():
    what = sys.argv[1]
    mac, source, target = sys.argv[-3:]
    mac, source, target = mac_of(mac), *(ipaddress.ip_address(text).packed
                                         for text in (source, target))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(3) if what != "flood" else 0)
    sock.bind(("eth0", 3 if what != "flood" else 0))
    frame = question("request" if what in ("flood", "latency") else what,
                     mac, source, target)
    if what == "flood":
        flood(sock, frame, float(sys.argv[2]), float(sys.argv[3]))
    elif what == "latency":
        latency(sock, frame, target, int(sys.argv[2]))
    else:
        sock.send(frame)
        said = wait(sock, target, SILENCE)
        print(said.hex(":") if said else "silence")


main()
