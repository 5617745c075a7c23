# SPDX-License-Identifier: Apache-2.0
"""One end of an OVSDB connection, in the manner of a controller; and checks
that are known by name."""

import collections
import contextlib
import itertools
import json
import select
import socket
import time
import uuid

PATIENCE = 10
ZERO = str(uuid.UUID(int=0))

checks = []


class Check:
    def __init__(self, name, function, takes_long, unlike_stock):
        self.name = name
        self.function = function
        self.takes_long = takes_long
        self.unlike_stock = unlike_stock


def check(name, takes_long=False, unlike_stock=None):
    """Registers FUNCTION(server).  One that takes long runs beside others that
    do; one that ovsdb-server does not pass says why."""
    def register(function):
        checks.append(Check(name, function, takes_long, unlike_stock))
        return function
    return register


def expect(is_true, *seen):
    if not is_true:
        raise AssertionError(" ".join(map(str, seen)) or "it is not so")


def expect_equal(seen, expected):
    expect(seen == expected, "expected", expected, "seen", seen)


def members_once(pairs):
    members = dict(pairs)
    expect(len(members) == len(pairs), "a member comes twice:", pairs)
    return members


class Balance:
    """Ends a message where braces balance; strings are known only where a
    controller knows them."""

    def __init__(self, knows_strings):
        self.knows_strings = knows_strings
        self.text = ""
        self.scanned = self.depth = 0
        self.previous = ""
        self.is_inside = self.has_begun = False

    def feed(self, text):
        self.text += text
        messages = []
        while self.scanned < len(self.text):
            if self.is_end(self.text[self.scanned]):
                messages.append(self.text[:self.scanned + 1])
                self.text = self.text[self.scanned + 1:]
                self.scanned = 0
                self.has_begun = False
            else:
                self.scanned += 1
        return messages

    def is_end(self, c):
        if self.knows_strings:
            if c == '"' and self.previous != "\\":
                self.is_inside = not self.is_inside
        counts = not self.is_inside if self.knows_strings \
            else self.previous != "\\"
        if counts and c in "{}":
            self.depth += 1 if c == "{" else -1
            self.has_begun = True
        self.previous = c
        return self.has_begun and self.depth == 0


class Stream:
    """One JSON value after another."""

    def __init__(self):
        self.text = ""

    def feed(self, text):
        self.text += text
        messages = []
        while self.text.strip():
            self.text = self.text.lstrip()
            try:
                _, size = json.JSONDecoder().raw_decode(self.text)
            except ValueError:
                break
            messages.append(self.text[:size])
            self.text = self.text[size:]
        return messages


class Peer:
    chunk = 65536

    def __init__(self, sock):
        self.sock = sock
        self.framing = self.new_framing()
        self.decoder_tail = b""
        self.inbox = collections.deque()
        self.heard = collections.deque()
        self.n_probes = 0

    # What controllers do differently.

    def new_framing(self):
        return Stream()

    def encode(self, message):
        return json.dumps(message)

    def new_id(self):
        return str(uuid.uuid4())

    def answer_probe(self, probe):
        return {"id": probe["id"], "result": probe["params"], "error": None}

    # What all of them do.

    @classmethod
    def dial(cls, server):
        return cls(server.connect())

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        self.sock.sendall(self.encode(message).encode())

    def read(self, patience=PATIENCE):
        """What one recv() gets; None if nothing comes."""
        pending = getattr(self.sock, "pending", None)
        if not (pending and pending()) and \
           not select.select([self.sock], [], [], patience)[0]:
            return None
        return self.sock.recv(self.chunk)

    def receive(self, patience=PATIENCE):
        """The next message, whatever it is; None if there is none."""
        end = time.monotonic() + patience
        while not self.inbox:
            data = self.read(max(0, end - time.monotonic()))
            if data is None:
                return None
            expect(data, "the connection was closed")
            # Characters may be cut in two.
            self.decoder_tail += data
            try:
                text = self.decoder_tail.decode()
            except UnicodeDecodeError:
                continue
            self.decoder_tail = b""
            for message in self.framing.feed(text):
                self.inbox.append(json.loads(
                    message, object_pairs_hook=members_once))
        return self.inbox.popleft()

    def step(self, patience=PATIENCE):
        """The next message that is no probe; None if there is none."""
        end = time.monotonic() + patience
        while True:
            message = self.receive(max(0, end - time.monotonic()))
            if not message or message.get("method") != "echo":
                return message
            self.n_probes += 1
            self.send(self.answer_probe(message))

    def request(self, method, params):
        request_id = self.new_id()
        self.send({"id": request_id, "method": method, "params": params})
        return request_id

    def reply(self, request_id):
        while True:
            message = self.step()
            expect(message, "no reply to", request_id)
            if "method" not in message and message["id"] == request_id:
                return message
            self.heard.append(message)

    def call(self, method, *params):
        """The whole reply."""
        return self.reply(self.request(method, list(params)))

    def result(self, method, *params):
        reply = self.call(method, *params)
        expect(reply.get("error") is None, reply)
        return reply["result"]

    def transact(self, *operations, database="hardware_vtep"):
        """Results of operations, none of which failed."""
        results = self.result("transact", database, *operations)
        expect(not any(result and "error" in result for result in results),
               results)
        return results

    def notification(self, method, patience=PATIENCE):
        """The next one; replies that nobody waited for are passed over."""
        while True:
            message = self.heard.popleft() if self.heard \
                else self.step(patience)
            expect(message, "no", method, "came")
            if message.get("method") == method:
                return message

    def settle(self):
        """All that came until an echo of ours is answered."""
        self.result("echo")
        heard = list(self.heard)
        self.heard.clear()
        return heard

    def answer_probes(self, n):
        """Whatever else comes is kept."""
        for _ in range(100):
            if self.n_probes >= n:
                return
            message = self.step(0.1)
            if message:
                self.heard.append(message)
        raise AssertionError("%d probes" % self.n_probes)


class Server:
    """Who is held to it: on ports 7000 and 7001 (TLS) of loopback; its
    DIRECTORY has a socket, the file, and certificates."""

    def __init__(self, name, directory):
        self.name = name
        self.directory = directory
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(directory + "/sock")
        self.operator = Peer(sock)

    def another(self):
        """The same, for another thread."""
        return Server(self.name, self.directory)

    def connect(self):
        return socket.create_connection(("127.0.0.1", 7000), PATIENCE)

    def connect_tls(self, context):
        sock = socket.create_connection(("127.0.0.1", 7001), PATIENCE)
        return context.wrap_socket(sock)

    def pki(self, name):
        return "%s/pki/%s" % (self.directory, name)

    def set_up(self):
        """The gateway as its operator made it: a switch with three ports."""
        has_global = self.operator.transact(select_all("Global"))[0]["rows"]
        if not has_global:
            self.operator.transact(insert("Global", {}))
        ports = ["p%d" % i for i in range(3)]
        self.operator.transact(
            insert("Physical_Switch", {"name": "gateway", "ports": [
                "set", [["named-uuid", port] for port in ports]]}, "gw"),
            *[insert("Physical_Port", {"name": port}, port)
              for port in ports],
            mutate("Global", [], ["switches", "insert",
                                  ["set", [["named-uuid", "gw"]]]]))

    @contextlib.contextmanager
    def manager(self, target, **columns):
        self.operator.transact(
            insert("Manager", dict(columns, target=target), "m"),
            mutate("Global", [], ["managers", "insert",
                                  ["set", [["named-uuid", "m"]]]]))
        try:
            yield
        finally:
            row = self.one("Manager", ["target", "==", target])
            self.operator.transact(
                mutate("Global", [], ["managers", "delete",
                                      ["set", [row["_uuid"]]]]))

    def one(self, table, *where):
        rows = self.operator.transact(select_all(table, *where))[0]["rows"]
        expect_equal(len(rows), 1)
        return rows[0]

    def rows(self, table, *where):
        return self.operator.transact(select_all(table, *where))[0]["rows"]

    def becomes(self, column, value, target):
        end = time.monotonic() + PATIENCE
        while self.one("Manager", ["target", "==", target])[column] != value:
            expect(time.monotonic() < end, column, "does not become", value)
            time.sleep(0.05)

    def shows(self, expected, target):
        """In the Manager's status; None: it has no such key."""
        end = time.monotonic() + PATIENCE
        while True:
            status = dict(self.one("Manager", ["target", "==", target])[
                "status"][1])
            seen = {key: status.get(key) for key in expected}
            if seen == expected:
                return
            expect(time.monotonic() < end, "status is", status)
            time.sleep(0.05)

    def new_switch(self, locator="192.0.2.7"):
        """<uuid>s of a logical switch and of a locator that a MAC holds."""
        name = new_name()
        results = self.operator.transact(
            insert("Logical_Switch", {"name": name}, "ls"),
            insert("Physical_Locator", {
                "dst_ip": locator,
                "encapsulation_type": "vxlan_over_ipv4"}, "pl"),
            insert("Ucast_Macs_Remote", {
                "MAC": "00:00:00:00:00:fe", "ipaddr": "",
                "logical_switch": ["named-uuid", "ls"],
                "locator": ["named-uuid", "pl"]}))
        return results[0]["uuid"], results[1]["uuid"]


class Listener:
    """Where a server dials to.  The network is the test's own, and the port
    the controller's; each has an address."""

    hosts = itertools.count(2)

    def __init__(self, port):
        host = "127.0.0.%d" % next(self.hosts)
        self.sock = socket.create_server((host, port))
        self.target = "tcp:%s:%d" % (host, port)

    def accept(self):
        self.sock.settimeout(PATIENCE)
        sock, _ = self.sock.accept()
        sock.settimeout(PATIENCE)
        return sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def new_name():
    return "n" + uuid.uuid4().hex[:12]


def insert(table, row, name=None):
    operation = {"op": "insert", "table": table, "row": row}
    if name:
        operation["uuid-name"] = name
    return operation


def mutate(table, where, *mutations):
    return {"op": "mutate", "table": table, "where": where,
            "mutations": list(mutations)}


def select_all(table, *where):
    return {"op": "select", "table": table, "where": list(where)}


def delete(table, *where):
    return {"op": "delete", "table": table, "where": list(where)}
