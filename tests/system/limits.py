#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Somebody who opens many connections, for limits.test.

    limits.py serve              echoes TCP on port 7, and UDP after as many
                                 seconds as it says; prints "listening"
    limits.py hold N ADDRESS     tries to open N connections to port 7, one
                                 after another, and prints how many there are;
                                 then, for each line that it reads, says
                                 something on the first one and prints the
                                 answer, or "dead"
    limits.py ask S ADDRESS      asks for an answer after S seconds: prints
                                 "answered" or "silence"
    limits.py syn N ADDRESS      begins N that nobody answers
    limits.py udp N ADDRESS      sends N datagrams, each from a port of its own
"""

import resource
import select
import socket
import sys
import time

ECHO, SILENT = 7, 9


def serve():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", ECHO))
    server.listen(1024)
    late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    late.bind(("", ECHO))
    print("listening", flush=True)
    poll, sockets = select.poll(), {server.fileno(): server}
    poll.register(server, select.POLLIN)
    poll.register(late, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == late.fileno():
                delay, where = late.recvfrom(100)
                time.sleep(float(delay))
                late.sendto(delay, where)
                continue
            if fd == server.fileno():
                one = server.accept()[0]
                sockets[one.fileno()] = one
                poll.register(one, select.POLLIN)
                continue
            data = sockets[fd].recv(100)
            if data:
                sockets[fd].send(data)
            else:
                poll.unregister(fd)
                sockets.pop(fd).close()


def begin(address, port):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((address, port))
    return one


def hold(n, address):
    held = []
    for _ in range(int(n)):
        try:
            held.append(socket.create_connection((address, ECHO), 0.3))
        except OSError:
            pass
    print(len(held), flush=True)
    for _ in sys.stdin:
        held[0].settimeout(2)
        try:
            held[0].send(b"alive")
            print(held[0].recv(100).decode(), flush=True)
        except OSError:
            print("dead", flush=True)


def ask(delay, address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(float(delay) + 0.5)
        one.sendto(delay.encode(), (address, ECHO))
        try:
            one.recv(100)
            print("answered")
        except OSError:
            print("silence")


def syn(n, address):
    sockets = [begin(address, SILENT) for _ in range(int(n))]
    time.sleep(0.05)
    del sockets


def udp(n, address):
    for _ in range(int(n)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"x", (address, SILENT))


resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
{"serve": serve, "hold": hold, "ask": ask, "syn": syn, "udp": udp}[sys.argv[1]](
    *sys.argv[2:])
