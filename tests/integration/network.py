"""A network of its own for a test: a namespace with addresses, a name server (nsd) with zones that the
test writes, signs and changes, and addresses where packets vanish.

    with Network(tmp_path) as network:
        network.address("20.1.0.1", "2a00:1::1")
        network.zone("mail.example", "mx A 20.1.0.1")
        sender = Sender(tmp_path, prefix=network.inside)
        sender.settings["dns"] = network.dns_options()

As a fixture: `network` of conftest.py. Needs root.
"""

import os
import pathlib
import signal
import subprocess

from sender import end_process, wait_until

SILENT4, SILENT6 = "20.66.0.9", "2a00:66::9"  # packets to these vanish

HEAD = """\
$ORIGIN {name}.
$TTL {ttl}
@	SOA	ns hostmaster {serial} 7200 3600 1209600 {ttl}
@	NS	ns
ns	A	{server}
"""
NSD = """\
server:
	ip-address: {address}@53
	zonesdir: "{dir}"
	database: ""
	username: ""
	chroot: ""
	pidfile: "{dir}/{address}.pid"
	xfrdfile: "{dir}/{address}.xfrd"
	zonelistfile: "{dir}/{address}.list"
	logfile: "{dir}/{address}.log"
	server-count: 1
	rrl-ratelimit: 0
remote-control:
	control-enable: no
"""


class Network:
    count = 0

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "dns"
        self.directory.mkdir(parents=True)
        Network.count += 1
        self.name = f"hk{os.getpid()}-{Network.count}"
        self.inside = ["ip", "netns", "exec", self.name]
        self.zones = {}    # name -> (address of its server, file that is served)
        self.anchors = []  # DS lines of signed zones
        self.keys = {}
        self.serial = 0
        self.servers = {}  # address -> process
        self.run("ip", "netns", "add", self.name, outside=True)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words, outside=False):
        return subprocess.run([*([] if outside else self.inside), *words], check=True,
                              cwd=self.directory, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL).stdout

    def address(self, *addresses):
        for one in addresses:
            self.run("ip", "address", "add", one, "dev", "lo",
                     *(["nodad"] if ":" in one else []))

    def silent_addresses(self):
        """Makes SILENT4 and SILENT6: there is a way to them, and no answer, not even a refusal."""
        self.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        for link in ("v0", "v1"):
            self.run("ip", "link", "set", link, "up")
        for own, silent in (("20.66.0.1/24", SILENT4), ("2a00:66::1/64", SILENT6)):
            self.run("ip", "address", "add", own, "dev", "v0", *(["nodad"] if ":" in own else []))
            self.run("ip", "neighbour", "add", silent, "lladdr", "02:00:00:00:00:99", "dev", "v0",
                     "nud", "permanent")

    # ---- zones ----

    def zone(self, name, records, ttl=600, signed=False, server="127.0.0.1"):
        """Writes a zone, one record a line, and serves it, at once if its server runs already."""
        self.serial += 1
        path = self.directory / f"{name}.zone"
        path.write_text(HEAD.format(name=name, ttl=ttl, serial=self.serial, server=server)
                        + records + "\n")
        if signed:
            self.sign(name, path)
        self.zones[name] = server, f"{path.name}.signed" if signed else path.name
        if server in self.servers:
            self.servers[server].send_signal(signal.SIGHUP)

    def sign(self, name, path):
        if name not in self.keys:
            self.keys[name] = [
                self.run("ldns-keygen", "-a", "ECDSAP256SHA256", *words, name).strip()
                for words in ((), ("-k",))]
            record = (self.directory / f"{self.keys[name][1]}.ds").read_text()
            self.anchors.append(" ".join(record.split()))
        self.run("ldns-signzone", "-n", "-f", f"{path}.signed", str(path), *self.keys[name])

    def tamper(self, name, old, new):
        """Changes what is served of a signed zone behind its signatures."""
        path = self.directory / self.zones[name][1]
        lines = path.read_text().splitlines(keepends=True)
        changed = [line if "RRSIG" in line else line.replace(old, new) for line in lines]
        assert changed != lines, f"{old} is not in {name}"
        path.write_text("".join(changed))

    def serve(self):
        """Starts the name servers with the zones so far."""
        for address in {server for server, _ in self.zones.values()}:
            zones = "".join(f"zone:\n\tname: {name}\n\tzonefile: {path}\n"
                            for name, (server, path) in self.zones.items() if server == address)
            config = self.directory / f"{address}.conf"
            config.write_text(NSD.format(dir=self.directory, address=address) + zones)
            self.servers[address] = subprocess.Popen(
                [*self.inside, "/usr/sbin/nsd", "-d", "-c", str(config)],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: subprocess.run(
                [*self.inside, "bash", "-c", f"exec 3<>/dev/tcp/{address}/53"],
                capture_output=True).returncode == 0, "nsd")

    def stop_serving(self, address):
        end_process(self.servers.pop(address))

    def dns_options(self, **more):
        """For the sender's `dns` section."""
        options = {"stub-zones": [f"{name} {server}@53"
                                  for name, (server, _) in self.zones.items()]}
        if self.anchors:
            options["trust-anchors"] = self.anchors
        return options | more

    def close(self):
        for server in self.servers.values():
            end_process(server)
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
