"""Programs at work inside the root file system, as the users that they run as in the appliance."""
import json
import os
import re
import struct
import subprocess
import sys
import time

import pytest

from conftest import NET_BIND_SERVICE, NET_BROADCAST, NET_RAW, SETGID, TOP, WAIT_S

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="roots are entered by root")

ADMIN, WEB, WWW, HIKYAKU = 100, 102, 104, 110
# Stands for the console: says how it was called.
CONSOLE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	const char *term = getenv("TERM"), *from = getenv("SSH_CONNECTION"), *home = getenv("HOME");

	printf("{\"called\": [");
	for (int i = 0; i < argc; i++)
		printf("%s\"%s\"", i ? ", " : "", argv[i]);
	printf("], \"uid\": %d, \"terminal\": %s, \"term\": \"%s\", \"from\": \"%s\", \"home\": \"%s\"}\n",
	       getuid(), isatty(0) && isatty(1) ? "true" : "false", term ? term : "", from ? from : "",
	       home ? home : "");
	return 7;
}
"""


def wait_for(condition, what):
    limit = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < limit, f"waited {WAIT_S} s for {what}"
        time.sleep(0.02)


def listens(guest, port):
    return re.search(rf":{port}\b", guest.client("ss", "-Hltn").stdout)


@pytest.mark.parametrize("words, told", [
    (("/bin/hikyaku", "version"), r"^hikyaku \d+\.\d+\.\d+$"),
    (("/sbin/busybox",), r"Currently defined functions:\n\tntpd, udhcpc\n$"),
    (("/sbin/dropbear", "-V"), r"^Dropbear v20"),
    (("/sbin/dropbearkey", "-h"), r"ed25519"),
    (("/sbin/lighttpd", "-V"), r"^lighttpd/1\.4\.\d+ \(ssl\)"),
    (("/sbin/mke2fs", "-V"), r"^mke2fs 1\."),
    (("/sbin/e2fsck", "-V"), r"^e2fsck 1\."),
    (("/sbin/resize2fs",), r"^resize2fs 1\."),
])
def test_a_program_runs(guest, words, told):
    assert re.search(told, guest.run("admin", *words).stdout)


def test_the_data_file_system_is_made_checked_mended_and_grown(guest):
    disk = guest.state / "data/disk"
    disk.write_bytes(b"")
    os.truncate(disk, 16 << 20)
    made = guest.run("root", "/sbin/mke2fs", "-q", "-t", "ext4", "-L", "hikyaku-data", "/data/disk")
    assert (made.returncode, made.stdout) == (0, "")
    assert guest.run("root", "/sbin/e2fsck", "-fn", "/data/disk").returncode == 0
    os.truncate(disk, 48 << 20)
    grown = guest.run("root", "/sbin/resize2fs", "/data/disk")
    assert grown.returncode == 0, grown.stdout
    with open(disk, "r+b") as file:
        file.seek(1024)
        blocks, size = struct.unpack("<4xI16xI", file.read(28))
        assert blocks << (10 + size) == 48 << 20
        file.seek(1024 + 0x78)
        assert file.read(16) == b"hikyaku-data\0\0\0\0"
        file.seek(1024 + 0x0c)
        file.write(b"\1\0\0\0")  # free blocks: one
    assert guest.run("root", "/sbin/e2fsck", "-fn", "/data/disk").returncode & 4
    assert guest.run("root", "/sbin/e2fsck", "-fy", "/data/disk").returncode == 1  # mended
    assert guest.run("root", "/sbin/e2fsck", "-fn", "/data/disk").returncode == 0


@pytest.fixture
def web(guest):
    """The web server as it is configured, with the certificate that it makes for itself. Its curl."""
    guest.folder("/run/www", WWW)
    folder = guest.folder("/data/www", WWW, 0o700)
    start_web_server(guest, "hikyaku.test")

    def curl(*words, address="127.0.0.1"):
        return guest.client("curl", "-sS", "--cacert", folder / "server.pem",
                            "--resolve", f"hikyaku.test:80:{address}",
                            "--resolve", f"hikyaku.test:443:{address}", *words)
    return curl


def start_web_server(guest, host):
    server = guest.start("www", "/bin/hikyaku", "www", "--host", host, "--config", "/data/etc/hikyaku.conf",
                         capabilities=[SETGID, NET_BIND_SERVICE])
    wait_for(lambda: listens(guest, 443), "the web server")
    return server


def test_the_web_server_serves_its_page_over_tls(web):
    page = (TOP / "rootfs/tree/usr/share/www/index.html").read_text()
    for address in ("127.0.0.1", "[::1]"):
        assert web("https://hikyaku.test/", address=address).stdout == page
    told = web("-o", "/dev/null", "-w", "%{http_version}", "https://hikyaku.test/").stdout
    assert told == "2"
    head = web("-I", "--http1.1", "https://hikyaku.test/").stdout
    assert "Strict-Transport-Security: max-age=" in head
    assert "Server:" not in head
    assert "404" in web("-o", "/dev/null", "-w", "%{http_code}", "https://hikyaku.test/etc/passwd").stdout
    assert web("--tls-max", "1.1", "https://hikyaku.test/").returncode != 0


def test_the_web_server_has_neither_the_group_nor_the_rights_of_who_keeps_it(guest, web):
    keeper, server = (fields(guest, name) for name in ("hikyaku", "lighttpd"))
    assert keeper["Groups"].split() == [str(HIKYAKU)] and server["Groups"].split() == []
    assert int(server["CapPrm"], 16) == int(server["CapInh"], 16) == 1 << NET_BIND_SERVICE
    # So it may not bind anew: the next generation has the sockets of the one before.
    assert int(server["CapAmb"], 16) == 0
    folder = guest.folder("/data/etc", ADMIN, 0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=other", "-addext", "subjectAltName=DNS:hikyaku.test", "-keyout",
                    folder / "own.key", "-out", folder / "own.pem"], check=True, capture_output=True)
    os.chown(folder / "own.key", ADMIN, HIKYAKU)
    (folder / "own.key").chmod(0o640)
    (folder / "hikyaku.conf.new").write_text(
        'customer "a.test" {\n\tsign = false\n\taddress "any" { ehlo = "m.a.test" }\n}\n'
        'www {\n\tcertificate = "/data/etc/own.pem"\n\tkey = "/data/etc/own.key"\n}\n')
    visitors = guest.serve(sys.executable, "-c", VISITORS)
    wait_for(lambda: "there" in visitors.read_text(), "visitors")
    folder.joinpath("hikyaku.conf.new").rename(folder / "hikyaku.conf")
    wait_for(lambda: web("--cacert", folder / "own.pem", "https://hikyaku.test/").returncode == 0, "it")
    wait_for(lambda: "gone" in visitors.read_text(), "the visitors' end")
    served, refused = map(int, visitors.read_text().split()[-2:])
    assert served > 50 and refused == 0, visitors.read_text()
    after = fields(guest, "lighttpd")
    assert after["Pid"] == server["Pid"] and int(after["CapPrm"], 16) == 0


# Each with a connection of its own, for four seconds.
VISITORS = """import socket, ssl, time
context, served, refused = ssl._create_unverified_context(), 0, 0
print("there", flush=True)
until = time.monotonic() + 4
while time.monotonic() < until:
    try:
        with context.wrap_socket(socket.create_connection(("127.0.0.1", 443), timeout=20)) as peer:
            peer.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
            served += peer.recv(15) == b"HTTP/1.1 200 OK"
    except OSError as error:
        print(error, flush=True)
        refused += 1
print("gone", served, refused, flush=True)
"""


def fields(guest, name):
    """What /proc tells of the user www's process of that name in the guest."""
    for pid in guest.client("ip", "netns", "pids", guest.name).stdout.split():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            told = dict(line.rstrip("\n").split(":", 1) for line in file)
        if told["Name"].strip() == name and told["Uid"].split()[0] == str(WWW):
            return told
    raise AssertionError(name)


def test_the_web_server_gets_a_certificate_from_an_authority(guest, tmp_path):
    sys.path.append(str(TOP / "tests/integration"))
    from authority import Authority  # pylint: disable=import-outside-toplevel
    root = Authority(tmp_path, "pebble's own")
    chain, key = root.issue("localhost")
    config = {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
              "httpPort": 80, "tlsPort": 5001, "certificate": str(chain), "privateKey": str(key),
              "ocspResponderURL": "", "externalAccountBindingRequired": False}
    (tmp_path / "pebble.json").write_text(json.dumps({"pebble": config}))
    # Names for it: everything is here.
    guest.serve("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "",
                "-https01", "", "-tlsalpn01", "", "-dns01", "127.0.0.1:8053", "-management", "127.0.0.1:8055")
    guest.serve("env", "PEBBLE_VA_NOSLEEP=1", "pebble", "-config", tmp_path / "pebble.json", "-dnsserver",
                "127.0.0.1:8053")
    guest.folder("/run/www", WWW)
    guest.folder("/data/www", WWW, 0o700)
    etc = guest.folder("/data/etc", ADMIN, 0o755)
    (etc / "ca.pem").write_bytes(root.certificate.read_bytes())
    (etc / "hikyaku.conf").write_text(
        'customer "a.test" {\n\tsign = false\n\taddress "any" { ehlo = "m.a.test" }\n}\n'
        'www {\n\tacme = true\n\tacme-ca-file = "/data/etc/ca.pem"\n'
        '\tacme-directory = "https://localhost:14000/dir"\n}\n')
    wait_for(lambda: listens(guest, 14000) and listens(guest, 8055), "the authority")
    start_web_server(guest, "hikyaku.test")

    def shown():
        return guest.client("curl", "-skv", "--resolve", "hikyaku.test:443:127.0.0.1",
                            "https://hikyaku.test/").stdout

    wait_for(lambda: "issuer: CN=Pebble" in shown(), "its certificate")
    assert (guest.state / "data/www/acme.pem").stat().st_mode & 0o777 == 0o600


class Slow:
    """Clients that send a byte of a request's head now and then, and never come to its end."""

    def __init__(self, guest, count):
        script = f"""import socket, time
held = []
for _ in range({count}):
    one = socket.create_connection(("127.0.0.1", 80))
    one.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nX: ")
    held.append(one)
print("held", flush=True)
while held:
    for one in held[:]:
        one.settimeout(0.001)
        try:
            one.sendall(b"x")
            if one.recv(1) == b"":
                held.remove(one)
        except TimeoutError:
            pass
        except OSError:
            held.remove(one)
    time.sleep(0.5)
print("gone", flush=True)
"""
        self.log = guest.serve(sys.executable, "-c", script)

    def said(self, word):
        return word in self.log.read_text()


def test_clients_that_never_end_their_request_harm_nobody_and_are_closed(guest):
    guest.folder("/run/www", WWW)
    guest.folder("/data/www", WWW, 0o700)
    guest.folder("/data/etc", ADMIN, 0o755)
    (guest.state / "data/etc/hikyaku.conf").write_text(
        'customer "a.test" {\n\tsign = false\n\taddress "any" { ehlo = "m.a.test" }\n}\n'
        'www {\n\tconnections-per-client = 60\n}\n')
    start_web_server(guest, "hikyaku.test")

    def fetch(address):
        return guest.client("curl", "-sk", "-o", "/dev/null", "-m", "5", "-w", "%{http_code} %{time_total}",
                            "--interface", address, "https://127.0.0.1/").stdout.split()

    calm = sorted(float(fetch("127.0.0.2")[1]) for _ in range(20))
    slow = Slow(guest, 200)
    begun = time.monotonic()
    wait_for(lambda: slow.said("held"), "clients")
    # One address has no more than its share, and who is behind another one sees nothing of it.
    assert fetch("127.0.0.1")[0] == "000"
    hindered = sorted(float(fetch("127.0.0.2")[1]) for _ in range(20))
    assert hindered[-2] < 2 * calm[-2] + 0.1
    wait_for(lambda: slow.said("gone"), "an end of them")
    assert 15 < time.monotonic() - begun < 40
    assert fetch("127.0.0.1")[0] == "200"


def test_the_web_server_sends_plain_requests_to_tls(web):
    told = web("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "http://hikyaku.test/a?b=c").stdout
    assert told == "301 https://hikyaku.test/a?b=c"


def test_the_web_server_hands_calls_of_programs_on_to_their_role(guest, web):
    shared = guest.folder("/run/hikyaku", 0, 0o1771)
    os.chown(shared, 0, HIKYAKU)
    guest.folder("/data/web", WEB, 0o700)
    config = guest.folder("/data/etc", ADMIN, 0o755) / "hikyaku.conf"
    config.write_text('customer "a.test" {\n\tsign = false\n\taddress "any" { ehlo = "m.a.test" }\n}\n')
    told = ("-o", "/dev/null", "-w", "%{http_code}")
    assert web(*told, "https://hikyaku.test/api/v1/openapi.json").stdout == "503"
    guest.start("web", "/bin/hikyaku", "web", "--config", "/data/etc/hikyaku.conf")
    # Only its user and lighttpd's may open it.
    wait_for(lambda: (shared / "web.sock").exists(), "the role")
    made = os.stat(shared / "web.sock")
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (WEB, WWW, 0o660)
    # lighttpd looks again a second after it found nobody.
    wait_for(lambda: web("https://hikyaku.test/api/v1/openapi.json").stdout ==
             (TOP / "src/web/openapi.json").read_text(), "the document")
    # Its keeper takes up the configuration meanwhile: what the old server refuses is asked for again.
    wait_for(lambda: web(*told, "--json", "{}", "https://hikyaku.test/api/v1/messages").stdout == "401",
             "the role")


class Ssh:
    """dropbear on port 22 as the operator's user, and clients with keys."""

    def __init__(self, guest, tmp_path):
        self.guest, self.folder = guest, tmp_path / "client"
        self.folder.mkdir()
        host = guest.folder("/data/ssh", ADMIN, 0o700)
        console = guest.root / "bin/console"
        console.unlink()
        (tmp_path / "console.c").write_text(CONSOLE)
        subprocess.run([TOP / "build/sysroot/bin/musl-gcc", "-o", console, tmp_path / "console.c"],
                       check=True)
        for name, kind in (("known", "ed25519"), ("older", "rsa"), ("stranger", "ed25519")):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", self.folder / name], check=True)
        keys = host / "authorized_keys"
        keys.write_text((self.folder / "known.pub").read_text() + (self.folder / "older.pub").read_text())
        os.chown(keys, ADMIN, ADMIN)
        guest.start("admin", "/sbin/dropbear", "-F", "-R", "-D", "/data/ssh", "-p", "127.0.0.1:22",
                    capabilities=[NET_BIND_SERVICE])
        wait_for(lambda: listens(guest, 22), "dropbear")

    def __call__(self, *words, key="known", user="admin", options=(), stdin=subprocess.DEVNULL):
        return self.guest.client("ssh", "-F", "none", "-i", self.folder / key, "-o", "IdentitiesOnly=yes",
                                 "-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}",
                                 "-o", "StrictHostKeyChecking=accept-new", "-o", "BatchMode=yes",
                                 *options, f"{user}@127.0.0.1", *words, stdin=stdin,
                                 env=os.environ | {"TERM": "vt220"})


@pytest.fixture
def ssh(guest, tmp_path):
    return Ssh(guest, tmp_path)


@pytest.mark.parametrize("key", ["known", "older"])
def test_who_has_the_key_gets_the_console(ssh, key):
    answer = ssh("queue", "list", key=key)
    assert answer.returncode == 7
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told.pop("from").endswith(" 127.0.0.1 22")
    assert told == {"called": ["console", "-c", "queue list"], "uid": ADMIN, "terminal": False, "term": "",
                    "home": "/data/ssh"}


def test_a_login_has_a_terminal(ssh):
    with subprocess.Popen(["sleep", str(WAIT_S)], stdout=subprocess.PIPE) as keyboard:
        answer = ssh(options=("-tt",), stdin=keyboard.stdout)
        keyboard.kill()
    told = json.loads(re.search(r"^\{.*\}", answer.stdout, re.M)[0])
    assert told["called"] == ["-console"]
    assert told["terminal"] is True
    assert told["term"] == "vt220"


@pytest.mark.parametrize("given", [
    {"key": "stranger"},
    {"user": "root"},
    {"user": "send"},
    {"options": ("-o", "PreferredAuthentications=password,keyboard-interactive", "-o", "BatchMode=no")},
])
def test_who_has_not_is_refused(ssh, given):
    answer = ssh("status", **given)
    assert answer.returncode == 255
    # Keys are the only way in that is offered, so that no password is even asked for.
    assert "Permission denied (publickey)" in answer.stdout
    assert "called" not in answer.stdout


def test_the_host_keeps_its_key(ssh):
    assert ssh("status").returncode == 7
    assert re.match(r"127\.0\.0\.1 ssh-ed25519 ", (ssh.folder / "known_hosts").read_text())
    again = ssh("status", options=("-o", "StrictHostKeyChecking=yes"))
    assert again.returncode == 7
    assert "added" not in again.stdout


def test_nothing_is_forwarded(ssh):
    answer = ssh(options=("-W", "127.0.0.1:22"))
    assert answer.returncode == 255
    assert "SSH-2.0" not in answer.stdout
    assert re.search("prohibited|open failed|forwarding failed", answer.stdout)


def test_the_time_client_asks_as_its_own_user(guest, tmp_path):
    server = tmp_path / "ntp.py"
    server.write_text(NTP_SERVER)
    guest.serve("/usr/bin/python3", server)
    # -w: asks, and does not set the clock.
    log = guest.start("ntp", "/sbin/busybox", "ntpd", "-dnw", "-p", "127.0.0.1")
    wait_for(lambda: "offset:" in log.read_text(), "an answer")
    assert 99 < float(re.search(r"offset:([+-][\d.]+)", log.read_text())[1]) < 101


# Stands for what tells init: says what it was told, one word a line.
EVENT = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	const char *words[] = { "interface", "ip", "subnet", "dns", "mtu", "staticroutes", "lease" };

	printf("event=%s\n", argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (getenv(words[i]))
			printf("%s=%s\n", words[i], getenv(words[i]));
	return 0;
}
"""


def test_the_dhcp_client_tells_what_it_was_given(guest, tmp_path):
    (tmp_path / "event.c").write_text(EVENT)
    event = guest.root / "sbin/dhcp-event"
    event.unlink()
    subprocess.run([TOP / "build/sysroot/bin/musl-gcc", "-o", event, tmp_path / "event.c"], check=True)
    guest.client("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far")
    guest.client("ip", "address", "add", "192.0.2.1/24", "dev", "far")
    for name in ("eth0", "far"):
        guest.client("ip", "link", "set", name, "up")
    guest.serve("dnsmasq", "-d", "-C", "/dev/null", "--port=0", "--interface=far", "--bind-interfaces",
                "--dhcp-leasefile=" + str(tmp_path / "leases"), "--dhcp-range=192.0.2.50,192.0.2.50,1h",
                "--dhcp-option=6,192.0.2.7,192.0.2.8", "--dhcp-option=26,1400",
                "--dhcp-option=121,198.51.100.0/24,192.0.2.9,0.0.0.0/0,192.0.2.1")
    log = guest.start("dhcp", "/sbin/busybox", "udhcpc", "-f", "-i", "eth0", "-s", "/sbin/dhcp-event",
                      "-t", "5", "-T", "1", "-A", "10", "-O", "staticroutes", "-O", "mtu",
                      capabilities=[NET_BIND_SERVICE, NET_BROADCAST, NET_RAW])
    wait_for(lambda: "event=bound" in log.read_text(), "a lease")
    told = set(log.read_text().split("event=bound")[1].split("\n"))
    assert told >= {"interface=eth0", "ip=192.0.2.50", "subnet=255.255.255.0", "dns=192.0.2.7 192.0.2.8",
                    "mtu=1400", "staticroutes=198.51.100.0/24 192.0.2.9 0.0.0.0/0 192.0.2.1", "lease=3600"}


# Answers every request with a time that is 100 s ahead.
NTP_SERVER = """
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 123))
while True:
    data, peer = s.recvfrom(512)
    now = int((time.time() + 2208988800 + 100) * (1 << 32))
    head = struct.pack(">BBbb8x4sQ", 0x24, 1, 6, -20, b"GPS", now)
    s.sendto(head + data[40:48] + struct.pack(">QQ", now, now), peer)
"""
