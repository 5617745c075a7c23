# SPDX-License-Identifier: Apache-2.0
"""python3 tests/ovsdb/controllers NAME DIRECTORY [CHECK]...

Holds the server NAME, whose hardware_vtep is in DIRECTORY, to what controllers
expect of it.  They are played here, as far as the wire goes,
with what is peculiar to them: how they find the end of a message, what they
leave out of a reply, what they do not say before they heard something."""

import sys
import threading
import traceback

import wire
import idl  # noqa: F401: they register their checks
import l2gw  # noqa: F401
import libovsdb  # noqa: F401
import odl  # noqa: F401


class Run:
    def __init__(self, server):
        self.server = server
        self.lock = threading.Lock()
        self.n_passed = self.n_failed = 0

    def all(self, checks):
        """Those that take long at once; the others listen to changes, and
        would hear of each other's."""
        threads = [threading.Thread(target=self.one,
                                    args=(check, self.server.another()))
                   for check in checks if check.takes_long]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for check in checks:
            if not check.takes_long:
                self.one(check, self.server)

    def one(self, check, server):
        try:
            check.function(server)
            trouble = None
        except Exception as error:
            trouble = error
        with self.lock:
            if trouble:
                self.n_failed += 1
                self.complain(check, trouble)
            else:
                self.n_passed += 1

    def complain(self, check, trouble):
        frames = traceback.extract_tb(trouble.__traceback__)[1:]
        where = ", ".join("%s:%d" % (frame.filename.split("/")[-1],
                                     frame.lineno) for frame in frames)
        print("failed: %s: %s: %s: %s: %s" % (
            self.server.name, check.name, where, type(trouble).__name__,
            trouble))


def main():
    name, directory = sys.argv[1:3]
    server = wire.Server(name, directory)
    server.set_up()
    run = Run(server)
    run.all([check for check in wire.checks
             if not (check.unlike_stock and name == "ovsdb-server")
             and (check.name in sys.argv[3:] or not sys.argv[3:])])
    print("%d passed, %d failed" % (run.n_passed, run.n_failed))
    return 1 if run.n_failed or not run.n_passed else 0


sys.exit(main())
