#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""A station that tags, where the kernel has no VLAN devices.

    vlan_peer.py ask DEVICE VLAN MAC SOURCE TARGET [BACK]

asks by ARP who has TARGET, tagged with VLAN (0: untagged), up to three times,
and ends well if the answer has the same tag, or BACK.

    vlan_peer.py udp DEVICE VLAN MAC SOURCE TARGET TARGET-MAC PORT

sends something to PORT there, and ends well if an answer comes back, with the
same tag.

    vlan_peer.py send DEVICE VLAN MAC N

sends N broadcasts that nobody knows.
"""

import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, AUXDATA = 263, 8, struct.Struct("=IIIHHHH")


def mac_of(text):
    return bytes.fromhex(text.replace(":", ""))


def open_device(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((name, 3))
    return s


def tagged(dst, src, vlan, eth_type, payload):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    frame = dst + src + tag + struct.pack("!H", eth_type) + payload
    return frame.ljust(60, b"\0")


def receive(s):
    """The next frame, without its tag, and that; the kernel takes it off."""
    frame, ancillary, _, address = s.recvmsg(2048, 256)
    vlan = 0
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            aux = AUXDATA.unpack(data[:AUXDATA.size])
            if aux[0] & 0x10:
                vlan = aux[5] & 0xfff
    if frame[12:14] == b"\x81\x00":
        vlan = struct.unpack("!H", frame[14:16])[0] & 0xfff
        frame = frame[:12] + frame[16:]
    return frame, vlan, address[2] == 4


def exchange(s, request, seconds, is_answer):
    """Sends the request up to three times: the first frame that is an answer
    to it, and its tag; ends badly if there is none."""
    for _ in range(3):
        s.send(request)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            s.settimeout(max(0.01, end - time.monotonic()))
            try:
                frame, vlan, is_own = receive(s)
            except TimeoutError:
                break
            if not is_own and is_answer(frame):
                return frame, vlan
    sys.exit(1)


def ask(device, vlan, mac, source, target, back=None):
    mac, target = mac_of(mac), socket.inet_aton(target)
    s = open_device(device)
    request = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac \
        + socket.inet_aton(source) + bytes(6) + target
    frame, seen = exchange(
        s, tagged(b"\xff" * 6, mac, int(vlan), 0x0806, request), 0.2,
        lambda frame: frame[12:14] == b"\x08\x06"
        and frame[20:22] == b"\0\2" and frame[28:32] == target)
    sys.exit(0 if seen == int(back or vlan) and frame[:6] == mac else 1)


def udp(device, vlan, mac, source, target, target_mac, port):
    mac, port = mac_of(mac), int(port)
    source, target = socket.inet_aton(source), socket.inet_aton(target)
    s = open_device(device)
    data = b"who is there?"
    ip = struct.pack("!BBHIBBH", 0x45, 0, 28 + len(data), 0, 64, 17, 0) \
        + source + target
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) \
        + ip[12:] + struct.pack("!4H", 4000, port, 8 + len(data), 0) + data
    _, seen = exchange(
        s, tagged(mac_of(target_mac), mac, int(vlan), 0x0800, ip), 0.3,
        lambda frame: frame[12:14] == b"\x08\x00"
        and frame[26:34] == target + source
        and frame[34:38] == struct.pack("!HH", port, 4000))
    sys.exit(0 if seen == int(vlan) else 1)


def send(device, vlan, mac, n):
    s = open_device(device)
    for _ in range(int(n)):
        s.send(tagged(b"\xff" * 6, mac_of(mac), int(vlan), 0x88b5, bytes(46)))


{"ask": ask, "udp": udp, "send": send}[sys.argv[1]](*sys.argv[2:])
