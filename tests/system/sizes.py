#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Sends UDP of every size from one network namespace to another, and says how
each one ended, for mtu.test.

    sizes.py FROM TO SOURCE DESTINATION LIMIT TELLER WHAT [SIZES]

Packets of WHAT (df, cut, told or v6) whose IP packet is of SIZES bytes
(60-9000, or 60-70,1440-1460) go from namespace FROM to TO.  Up to LIMIT bytes
they must arrive, byte for byte.  What is larger must arrive, too (cut: IPv4
without DF), or the sender must be told (df: with DF; told: without, where
nothing is cut; v6), by TELLER, that LIMIT would have fit.  Ends with 1 at the
first one that does not; silence is one second of it."""

import ctypes
import os
import random
import select
import socket
import struct
import sys
import time

IP_MTU_DISCOVER, IP_RECVERR = 10, 11
IPV6_MTU_DISCOVER, IPV6_RECVERR = 23, 25
PMTUDISC_PROBE, PMTUDISC_OMIT = 3, 5
SILENCE = 1.0


def socket_in(netns, family):
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + netns, os.O_RDONLY)
    if libc.setns(there, 0):
        raise OSError(ctypes.get_errno(), "setns " + netns)
    try:
        return socket.socket(family, socket.SOCK_DGRAM)
    finally:
        libc.setns(here, 0)
        os.close(here)
        os.close(there)


class Pair:
    def __init__(self, argv):
        from_ns, to_ns, source, self.destination = argv[:4]
        self.limit, self.teller, self.what = int(argv[4]), argv[5], argv[6]
        self.is_v6 = self.what == "v6"
        family = socket.AF_INET6 if self.is_v6 else socket.AF_INET
        self.sender = socket_in(from_ns, family)
        self.receiver = socket_in(to_ns, family)
        self.receiver.bind((self.destination, 0))
        self.receiver.setblocking(False)
        self.sender.setblocking(False)
        self.sender.bind((source, 0))
        mode = PMTUDISC_OMIT if self.what in ("cut", "told") else (
            PMTUDISC_PROBE)
        level = socket.IPPROTO_IPV6 if self.is_v6 else socket.IPPROTO_IP
        self.sender.setsockopt(level, IPV6_MTU_DISCOVER if self.is_v6
                               else IP_MTU_DISCOVER, mode)
        self.sender.setsockopt(level, IPV6_RECVERR if self.is_v6
                               else IP_RECVERR, 1)
        self.sender.connect(self.receiver.getsockname()[:2])
        self.headers = 48 if self.is_v6 else 28
        self.poll = select.poll()
        self.poll.register(self.receiver, select.POLLIN)
        self.poll.register(self.sender, select.POLLERR)
        self.random = random.Random(1)

    def send(self, payload):
        for _ in range(3):
            try:
                self.sender.send(payload)
                return
            except OSError:
                # An error that is queued is reported here, too.
                continue
        raise SystemExit("cannot send %d bytes" % len(payload))

    def told(self):
        """(MTU, who said so), or None."""
        try:
            _, control, _, _ = self.sender.recvmsg(0, 512,
                                                   socket.MSG_ERRQUEUE)
        except OSError:
            return None
        for _, _, data in control:
            number, origin, kind, code, _, info, _ = struct.unpack(
                "=IBBBBII", data[:16])
            if self.is_v6:
                who = socket.inet_ntop(socket.AF_INET6, data[24:40])
                good = origin == 3 and kind == 2
            else:
                who = socket.inet_ntop(socket.AF_INET, data[20:24])
                good = origin == 2 and (kind, code) == (3, 4)
            if not good:
                raise SystemExit("error %d, origin %d, type %d, code %d" % (
                    number, origin, kind, code))
            return info, who
        return None

    def end_of(self, payload):
        """True: arrived; (MTU, who): told; None: silence."""
        until = time.monotonic() + SILENCE
        while time.monotonic() < until:
            for fd, event in self.poll.poll(50):
                if fd == self.receiver.fileno():
                    try:
                        got = self.receiver.recv(65536)
                    except OSError:
                        continue
                    if got == payload:
                        return True
                    if got[:8] == payload[:8]:
                        raise SystemExit("%d bytes arrived, and are others"
                                         % len(got))
                elif event:
                    said = self.told()
                    if said:
                        return said
        return None

    def check(self, size):
        payload = struct.pack("=Q", size) + self.random.randbytes(size)
        payload = payload[:size - self.headers]
        self.send(payload)
        end = self.end_of(payload)
        want = (True if size <= self.limit or self.what == "cut"
                else (self.limit, self.teller))
        if end == want:
            # Of what goes to the host, a port may have 2000 a second.
            if end is not True:
                time.sleep(0.0007)
            return
        raise SystemExit("%s of %d bytes: wanted %s, and there was %s" % (
            self.what, size, want, "silence" if end is None else end))


def sizes(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def main():
    pair = Pair(sys.argv[1:])
    n = 0
    for size in sizes(sys.argv[8] if len(sys.argv) > 8 else "60-9000"):
        pair.check(size)
        n += 1
    print(n, "sizes")


main()
