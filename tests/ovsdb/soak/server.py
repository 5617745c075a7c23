# SPDX-License-Identifier: Apache-2.0

"""hnv-ovsdb, as often as it is killed."""

import asyncio
import os
import signal
import subprocess

from wire import Connection


class Server:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.path = os.path.join(folder, "sock")
        self.control_path = os.path.join(folder, "ctl")
        self.file = os.path.join(folder, "soak.db")
        self.process = None
        self.n_starts = 0

    async def start(self):
        for path in (self.path, self.control_path):
            if os.path.exists(path):
                os.unlink(path)
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--remote=punix:" + self.path,
                 "--unixctl=" + self.control_path, "-vconsole:warn",
                 self.file], stderr=log)
        self.n_starts += 1
        for _ in range(3000):
            if os.path.exists(self.path):
                return
            if self.process.poll() is not None:
                raise RuntimeError("the server does not start")
            await asyncio.sleep(0.01)
        raise RuntimeError("the server takes too long to start")

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def is_up(self):
        return self.process.poll() is None

    async def control(self, method, *params):
        connection = await Connection.open(self.control_path)
        try:
            return await asyncio.wait_for(
                connection.call(method, *params), 60)
        finally:
            connection.close()

    def resident(self):
        """KiB."""
        with open("/proc/%d/status" % self.process.pid) as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0
