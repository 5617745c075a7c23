# SPDX-License-Identifier: Apache-2.0

# Many flows of UDP, and how long each of them was silent.
#
#     send ADDRESS FLOWS SECONDS   a datagram of each flow every 5 ms
#     receive FLOWS SECONDS        prints "ready", with the first one "hears",
#                                  and when all is over
#                                  "heard FLOWS longest MILLISECONDS"

import socket
import sys
import time

PORT = 7


def send(address, n_flows, seconds):
    flows = []
    for i in range(n_flows):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("", 20000 + i))
        s.connect((address, PORT))
        flows.append(s)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for s in flows:
            try:
                s.send(b"x")
            except OSError:
                pass
        time.sleep(0.005)


def receive(n_flows, seconds):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", PORT))
    s.settimeout(0.05)
    print("ready", flush=True)
    last, longest = {}, 0.0
    begin = time.monotonic()
    end = begin + 10
    while time.monotonic() < end:
        try:
            _, peer = s.recvfrom(64)
        except socket.timeout:
            continue
        now = time.monotonic()
        if not last:
            end = now + seconds
            print("hears", flush=True)
        if peer in last:
            longest = max(longest, now - last[peer])
        last[peer] = now
    # Those that never came back were silent to the end.
    for seen in last.values():
        longest = max(longest, end - seen)
    print("heard %d longest %d" % (len(last), longest * 1000), flush=True)


if sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    receive(int(sys.argv[2]), float(sys.argv[3]))
