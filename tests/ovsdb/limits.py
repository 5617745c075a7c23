#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""What a client may do to hnv-ovsdb before it is stopped, and that nobody else
suffers: each limit has an answer, a counter, and bounded memory.

    limits.py PROGRAM DATABASE DIRECTORY
"""

import json
import resource
import select
import socket
import subprocess
import sys
import time

PATIENCE = 60
N_SESSIONS = 10000          # At most, of one listener.
MESSAGE_SIZE = 128 << 20
N_OPERATIONS = 1 << 20
N_EACH = 1000               # Monitors, waits, locks of one client.
MIB = 1 << 20


class Client:
    """A raw connection; what is read is whole messages, mostly one."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(PATIENCE)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, params, request_id=1):
        self.socket.sendall(json.dumps(
            {"id": request_id, "method": method, "params": params}).encode())

    def messages(self, n=1):
        """The next so many."""
        decoder = json.JSONDecoder()
        found = []
        has_ended = False
        while True:
            # Long ones come in many pieces: no use to look after each.
            if has_ended or self.buffer.endswith(b"}") and (
                    len(self.buffer) < 65536 or not self.is_readable(0.01)):
                text = self.buffer.decode()
                try:
                    while len(found) < n and text:
                        message, end = decoder.raw_decode(text)
                        found.append(message)
                        text = text[end:].lstrip()
                except ValueError:
                    pass
                self.buffer = text.encode()
                if len(found) == n:
                    return found
            if has_ended:
                raise ConnectionError("closed")
            data = self.socket.recv(1 << 20)
            has_ended = not data
            self.buffer += data

    def call(self, method, *params):
        self.send(method, params)
        return self.messages()[0]

    def is_readable(self, wait=PATIENCE):
        return bool(self.poll(select.POLLIN, wait))

    def poll(self, events, wait=PATIENCE):
        poller = select.poll()
        poller.register(self.socket, events)
        return sum(event for _, event in poller.poll(wait * 1000))

    def is_closed(self):
        """Waits for it."""
        try:
            while self.socket.recv(1 << 20):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False


class Server:
    def __init__(self, directory, n_files=None):
        program, database = sys.argv[1:3]
        self.path = directory + "/limits.sock"
        self.control_path = directory + "/limits.ctl"

        def limit():
            if n_files:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (n_files, n_files))

        with open(directory + "/limits.log", "ab") as log:
            self.process = subprocess.Popen(
                [program, "--remote=punix:" + self.path,
                 "--remote=db:hardware_vtep,Global,managers",
                 "--unixctl=" + self.control_path, database],
                stderr=log, preexec_fn=limit)
        wait_for(lambda: can_connect(self.path)
                 and can_connect(self.control_path), "the server listens")
        self.control = Client(self.control_path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.control.socket.close()
        self.process.kill()
        self.process.wait()

    def client(self):
        return Client(self.path)

    def command(self, name, *args):
        reply = self.control.call(name, *args)
        if reply["error"] is not None:
            raise RuntimeError(reply["error"])
        return reply["result"]

    def counter(self, name):
        return int(self.command("coverage/read-counter", name))

    def sessions(self):
        words = self.command("memory/show").split()
        return int(dict(word.split(":") for word in words)["sessions"])

    def memory(self, name="VmRSS"):
        with open("/proc/%d/status" % self.process.pid) as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) << 10
        raise RuntimeError(name)

    def forget_peak(self):
        with open("/proc/%d/clear_refs" % self.process.pid, "w") as file:
            file.write("5")

    def growth(self, before):
        return self.memory("VmHWM") - before


class Others:
    """Somebody who is served all the time: how long does he wait?"""

    def __init__(self, server):
        self.client = server.client()
        self.longest = 0

    def ask(self):
        start = time.monotonic()
        reply = self.client.call("echo")
        self.longest = max(self.longest, time.monotonic() - start)
        return reply["error"] is None


def can_connect(path):
    try:
        Client(path).socket.close()
        return True
    except OSError:
        return False


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


n_passed = n_failed = 0
is_sanitized = False


def check(what, is_so, *seen):
    global n_passed, n_failed
    if is_so:
        n_passed += 1
    else:
        n_failed += 1
        print("failed:", what, *seen, flush=True)


def check_memory(what, bytes_used, limit):
    """Sanitizers have uses of their own for it."""
    if not is_sanitized:
        check(what, bytes_used < limit, "%.1f MiB" % (bytes_used / MIB))


def is_refused(reply):
    """Of a transaction: all of it, or an operation of it."""
    return "resources exhausted" in json.dumps(reply)[-1000:]


def test_many_sessions(server):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < N_SESSIONS + 200:
        print("a hard limit of %d descriptors: no %d sessions" %
              (hard, N_SESSIONS))
        return
    wait_for(lambda: server.sessions() == 0, "there is nobody")
    before = server.memory()
    clients = [server.client() for _ in range(N_SESSIONS)]
    for client in clients:
        client.send("echo", [])
    n_served = sum(client.messages()[0]["error"] is None
                   for client in clients)
    check("all are served", n_served == N_SESSIONS, n_served)
    check("all are counted", server.sessions() == N_SESSIONS,
          server.sessions())
    each = (server.memory() - before) / N_SESSIONS
    check_memory("a session is small", each, 32 << 10)
    check("none was refused", server.counter("session_refused") == 0)
    further = [server.client() for _ in range(50)]
    check("those past the limit are closed",
          all(client.is_closed() for client in further))
    check("and counted", server.counter("session_refused") == 50,
          server.counter("session_refused"))
    for client in further:
        client.socket.close()
    clients.pop().socket.close()
    wait_for(lambda: server.sessions() == N_SESSIONS - 1, "one leaves")
    clients.append(server.client())
    check("who comes then finds room",
          clients[-1].call("echo")["error"] is None)
    for client in clients:
        client.socket.close()
    wait_for(lambda: server.sessions() == 0, "all have gone")


def test_few_descriptors(directory):
    """The last ones are for files, and for the operator."""
    with Server(directory, n_files=100) as server:
        others = Others(server)
        clients = [server.client() for _ in range(200)]
        wait_for(lambda: server.counter("session_accepted")
                 + server.counter("session_refused") >= 200, "all are heard")
        n_open = server.sessions()
        check("as many as there is room for", 40 <= n_open <= 100 - 32, n_open)
        check("the others are closed", server.counter("session_refused") > 100)
        check("none had to wait", not server.counter("session_accept_errors"))
        check("others are served", others.ask())
        reply = others.client.call(
            "transact", "hardware_vtep",
            {"op": "insert", "table": "Logical_Switch",
             "row": {"name": "few descriptors"}},
            {"op": "commit", "durable": True})
        check("and write", "uuid" in reply["result"][0], reply)
        server.command("ovsdb-server/compact")
        check("the file is compacted",
              server.counter("file_compactions") == 1)
        with Client(server.control_path) as operator:
            check("another operator is let in",
                  operator.call("version")["error"] is None)
        for client in clients:
            client.socket.close()
        wait_for(lambda: server.sessions() == 1, "they leave")
        with server.client() as client:
            check("there is room again",
                  client.call("echo")["error"] is None)


def test_silence(server):
    """Somebody whose machine is gone says nothing, not even that."""
    target = server.path + ".probed"
    with server.client() as operator:
        operator.call(
            "transact", "hardware_vtep",
            {"op": "insert", "table": "Manager", "uuid-name": "m",
             "row": {"target": "punix:" + target, "inactivity_probe": 200}},
            {"op": "insert", "table": "Global", "row":
             {"managers": ["named-uuid", "m"]}})
        wait_for(lambda: can_connect(target), "the Manager is listened on")
        with Client(target) as silent, Client(target) as lively:
            start = time.monotonic()
            while not silent.is_readable(0) or silent.socket.recv(4096):
                if lively.is_readable(0.05):
                    for probe in lively.messages():
                        check("he is asked", probe["method"] == "echo", probe)
                        lively.socket.sendall(json.dumps(
                            {"id": probe["id"], "result": probe["params"],
                             "error": None}).encode())
                if time.monotonic() > start + PATIENCE:
                    raise TimeoutError("a silent client is closed")
            check("and counted", server.counter("session_silent") == 1,
                  server.counter("session_silent"))
            check("who answers stays",
                  lively.call("list_dbs").get("error") is None)
        operator.call("transact", "hardware_vtep",
                      {"op": "delete", "table": "Global", "where": []})
        wait_for(lambda: not can_connect(target), "it is listened no more")


def test_half_closed(server):
    with server.client() as client:
        for i in range(100):
            client.send("get_schema", ["hardware_vtep"], i)
        client.socket.shutdown(socket.SHUT_WR)
        replies = client.messages(100)
        check("who says no more gets his answers",
              [reply["id"] for reply in replies] == list(range(100)))
        check("and then the end", client.is_closed())


def test_endless_message(server):
    """A gigabyte, of which 128 MiB are read."""
    others = Others(server)
    before = server.memory()
    server.forget_peak()
    with server.client() as client:
        chunk = b"x" * MIB
        n_sent = 0
        try:
            client.socket.sendall(b'{"id":1,"method":"echo","params":["')
            while n_sent < 1 << 30:
                client.socket.sendall(chunk)
                n_sent += len(chunk)
                if n_sent % (16 * MIB) == 0:
                    check("others are served", others.ask())
        except (BrokenPipeError, ConnectionResetError):
            pass
    check("it ends at the limit",
          MESSAGE_SIZE <= n_sent + MIB <= MESSAGE_SIZE + 8 * MIB, n_sent)
    check("and is counted", server.counter("session_too_long") == 1)
    check("nobody waits for long", others.longest < 5, others.longest)
    check_memory("memory is bounded", server.growth(before),
                 2.5 * MESSAGE_SIZE)
    check_memory("memory is given back", server.memory() - before, 16 * MIB)


def test_longest_message(server):
    """One byte less than the limit is answered."""
    with server.client() as client:
        head = b'{"id":1,"method":"nothing","params":["'
        tail = b'"]}'
        client.socket.sendall(
            head + b"x" * (MESSAGE_SIZE - len(head) - len(tail)) + tail)
        reply = client.messages()[0]
        check("a message of the longest kind",
              "unknown method" in json.dumps(reply), reply)


def test_nesting(server):
    for brackets in b"[", b'{"":':
        n = server.counter("session_too_deep")
        before = server.memory()
        server.forget_peak()
        with server.client() as client:
            try:
                client.socket.sendall(b'{"id":1,"method":"echo","params":')
                client.socket.sendall(brackets * 1000000)
            except (BrokenPipeError, ConnectionResetError):
                pass
            check("it is closed", client.is_closed())
        check("and counted", server.counter("session_too_deep") == n + 1)
        check_memory("and costs nothing", server.growth(before), 4 * MIB)
    with server.client() as client:
        reply = client.call("echo", "[" * 1000000)
        check("brackets in a text are text",
              reply["result"] == ["[" * 1000000])
        client.socket.sendall(b'{"id":1,"method":"echo","params":'
                              + b"[" * 999 + b"]" * 999 + b"}")
        answer = client.socket.recv(MIB)
        check("nesting up to the limit", b"[" * 999 in answer, answer)


def test_operations(server):
    operation = b',{"op":"comment","comment":""}'
    others = Others(server)
    for n_operations, is_allowed in ((1000000, True),
                                     (N_OPERATIONS + 1, False)):
        n = server.counter("ovsdb_refused_operations")
        with server.client() as client:
            client.socket.sendall(
                b'{"id":1,"method":"transact","params":["hardware_vtep"'
                + n_operations * operation + b"]}")
            reply = client.messages()[0]
        if is_allowed:
            check("a million operations", reply["result"] ==
                  [{}] * n_operations, str(reply)[:1000])
        else:
            check("more are refused", is_refused(reply), str(reply)[:1000])
        check("and counted", server.counter("ovsdb_refused_operations")
              == n + (not is_allowed))
        check("others are served", others.ask())


def test_monitors(server):
    with server.client() as client:
        n = server.counter("ovsdb_refused_monitors")
        for i in range(N_EACH + 1):
            client.send("monitor", ["hardware_vtep", i,
                                    {"Logical_Switch": {}}], i)
        replies = client.messages(N_EACH + 1)
        check("a thousand monitors",
              all(reply["error"] is None for reply in replies[:-1]))
        check("and no more", is_refused(replies[-1]), replies[-1])
        check("which is counted",
              server.counter("ovsdb_refused_monitors") == n + 1)


def test_waits(server):
    wait = {"op": "wait", "table": "Logical_Switch", "where": [],
            "columns": ["name"], "until": "==",
            "rows": [{"name": "that never comes"}]}
    with server.client() as client:
        n = server.counter("ovsdb_refused_waits")
        for i in range(N_EACH + 1):
            client.send("transact", ["hardware_vtep", wait], i)
        reply = client.messages()[0]
        check("a thousand wait, and no more",
              reply["id"] == N_EACH and is_refused(reply), reply)
        check("which is counted",
              server.counter("ovsdb_refused_waits") == n + 1)


def test_locks(server):
    with server.client() as client:
        n = server.counter("ovsdb_refused_locks")
        for i in range(N_EACH + 1):
            client.send("lock", ["lock%d" % i], i)
        replies = client.messages(N_EACH + 1)
        check("a thousand locks",
              all(reply["error"] is None for reply in replies[:-1]))
        check("and no more", is_refused(replies[-1]), replies[-1])
        check("which is counted",
              server.counter("ovsdb_refused_locks") == n + 1)


def test_asking_without_reading(server):
    """Who does not take his answers is not heard any more."""
    others = Others(server)
    before = server.memory()
    server.forget_peak()
    question = json.dumps({"id": 1, "method": "echo",
                           "params": ["x" * (1 << 16)]}).encode()
    with server.client() as client:
        data, n_sent = question * 1024, 0       # 64 MiB.
        while n_sent < len(data) and client.poll(select.POLLOUT, 0.5):
            n_sent += client.socket.send(data[n_sent:n_sent + MIB],
                                         socket.MSG_DONTWAIT)
            check("others are served", others.ask())
        check("he is stopped", n_sent < 16 * MIB, n_sent)
        check_memory("memory is bounded", server.growth(before), 16 * MIB)
        n_answers, answer = 0, b""
        while n_answers < 1024:
            wanted = select.POLLOUT if n_sent < len(data) else 0
            events = client.poll(select.POLLIN | wanted)
            if not events:
                break
            if events & select.POLLIN:
                # A word may be cut in two.
                answer = answer[-7:] + client.socket.recv(MIB)
                n_answers += answer.count(b'"result"')
            if events & select.POLLOUT:
                n_sent += client.socket.send(data[n_sent:n_sent + MIB],
                                             socket.MSG_DONTWAIT)
        check("and gets all of them later", n_answers == 1024, n_answers)


def test_watching_without_reading(server):
    """Updates that nobody takes become fewer, and the last word is right,
    however many they were.  (Past 256 MiB the client is left:
    check_monitor_hub.c.)"""
    name = "slow reader"
    with server.client() as writer:
        writer.call("transact", "hardware_vtep",
                    {"op": "insert", "table": "Logical_Switch",
                     "row": {"name": name}})
        others = Others(server)
        before = server.memory()
        server.forget_peak()
        n = server.counter("ovsdb_combined_updates")
        with server.client() as watcher:
            watch(watcher)
            write(writer, name, 8000, others)
            check("others learn all", others.ask())
            n_seen = read_up_to(watcher, "007999")
            check("updates were combined", 1 < n_seen < 8000, n_seen)
            check("and counted",
                  server.counter("ovsdb_combined_updates") > n)
        with server.client() as watcher:
            watch(watcher)
            write(writer, name, 40000, others)
            n_seen = read_up_to(watcher, "039999")
            check("five times as many are no more to read",
                  1 < n_seen < 8000, n_seen)
        check_memory("memory is bounded", server.growth(before), 64 * MIB)
        check("nobody waits for long", others.longest < 5, others.longest)


def read_up_to(client, last):
    """Returns how many updates it took."""
    n_seen, text = 0, ""
    while text[:6] != last:
        for update in client.messages():
            rows = update["params"][1]["Logical_Switch"]
            text = list(rows.values())[0]["new"]["description"]
            n_seen += 1
    return n_seen


def watch(client):
    client.call("monitor", "hardware_vtep", None,
                {"Logical_Switch": {"columns": ["description"]}})


def write(client, name, n_updates, others):
    """A kilobyte each."""
    for i in range(n_updates):
        client.send("transact", [
            "hardware_vtep",
            {"op": "update", "table": "Logical_Switch",
             "where": [["name", "==", name]],
             "row": {"description": ("%06d" % i).ljust(1000, "x")}}], i)
        if i % 1000 == 999:
            check("each is acknowledged", all(
                reply["result"] == [{"count": 1}]
                for reply in client.messages(1000)))
            others.ask()


def main():
    global is_sanitized
    with open(sys.argv[1], "rb") as program:
        is_sanitized = b"__asan_init" in program.read()
    directory = sys.argv[3]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    test_few_descriptors(directory)
    with Server(directory) as server:
        for test in (test_many_sessions, test_silence, test_half_closed,
                     test_endless_message, test_longest_message,
                     test_nesting, test_operations, test_monitors,
                     test_waits, test_locks, test_asking_without_reading,
                     test_watching_without_reading):
            start = time.monotonic()
            try:
                test(server)
            except (OSError, RuntimeError) as error:
                check("%s: %r" % (test.__name__, error), False)
            if server.process.poll() is not None:
                check("the server lives after " + test.__name__, False)
                break
            if "-v" in sys.argv:
                print("%s: %.1f s" % (test.__name__,
                                      time.monotonic() - start))
    print("%d passed, %d failed" % (n_passed, n_failed))
    return n_failed > 0


sys.exit(main())
