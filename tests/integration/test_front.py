"""The web server that `hikyaku www` keeps: certificates, files, limits, and hostile clients."""

import contextlib
import json
import pathlib
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from pebble import Pebble
from ports import free_port
from sender import wait_until
from web_host import WebHost

NAME, OTHER = "www.shop.test", "news.shop.test"


@pytest.fixture
def host(sender_in):
    """A customer's site behind it: nobody sends mail here, so there is no sender."""
    made = []

    def make(**www):
        one = WebHost(sender_in(keys=("ed25519",)), www)
        made.append(one)
        site = one.directory / "site"
        site.mkdir()
        (site / "index.html").write_text("<p>ようこそ</p>")
        return one

    yield make
    for one in made:
        one.__exit__()


def shown(web, name=None):
    """What it shows of itself by TLS: the certificate, as text."""
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as plain, \
            context.wrap_socket(plain, server_hostname=name) as peer:
        der = peer.getpeercert(binary_form=True)
    return subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-text"], input=der, check=True,
                          capture_output=True).stdout.decode()


def state(web):
    return json.loads((pathlib.Path(web.sender.short) / "www/state.json").read_text())


def curl(web, path, *words):
    told = subprocess.run(["curl", "-sS", "--path-as-is", "--cacert", web.certificate, "-w",
                           "\n%{http_version} %{http_code}", *words, web.url + path],
                          capture_output=True, text=True, timeout=60, check=False)
    body, _, last = told.stdout.rpartition("\n")
    return body, last, told


def said_to(port, request, context=None):
    """All that comes back for these bytes until the server closes, which it has to do by itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        peer = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        with contextlib.suppress(OSError):  # it need not take what is too much
            peer.sendall(request)
        said = b""
        while more := peer.recv(65536):
            said += more
        return said


def test_the_customers_pages_are_served_by_http_2_and_tls_1_3_with_their_types(host):
    web = host()
    site = web.directory / "site"
    (site / ".well-known").mkdir()
    (site / ".well-known/mta-sts.txt").write_text("version: STSv1\nmode: enforce\n")
    web.start()
    assert curl(web, "/", "--http2", "--tlsv1.3")[:2] == ("<p>ようこそ</p>", "2 200")
    assert curl(web, "/", "--http1.1", "--tls-max", "1.2")[:2] == ("<p>ようこそ</p>", "1.1 200")
    assert curl(web, "/", "--tls-max", "1.1")[2].returncode == 35
    head = curl(web, "/.well-known/mta-sts.txt", "-I")[0].lower()
    assert "content-type: text/plain; charset=utf-8" in head and "location" not in head
    assert "strict-transport-security: max-age=31536000" in head
    assert "x-content-type-options: nosniff" in head
    assert "server:" not in head
    # The program's own paths are no files, whatever stands in the folder.
    assert json.loads(curl(web, "/api/v1/openapi.json")[0])["openapi"].startswith("3.")
    # So is the archive, with its slash and without; what only begins as it does is the customer's.
    (site / "about.html").write_text("<p>about</p>")
    (site / "a").write_text("no archive")
    for path in ("/a", "/a?x=1", "/a/"):
        page, code, _ = curl(web, path)
        assert code.endswith("200") and 'href="/a/rss"' in page, path
    assert curl(web, "/about.html")[:1] == ("<p>about</p>",)
    assert curl(web, "/ab")[1].endswith("404")
    plain = urllib.request.Request(f"http://127.0.0.1:{web.plain_port}/a/b?c=d")
    with pytest.raises(urllib.error.HTTPError) as led:
        urllib.request.build_opener(NoRedirect).open(plain, timeout=10)
    assert (led.value.code, led.value.headers["Location"]) == (301, f"{web.url}/a/b?c=d")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def test_nothing_outside_of_the_customers_pages_can_be_had(host):
    web = host()
    site = web.directory / "site"
    (web.directory / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(web.directory / "secret.txt")
    (site / ".git").mkdir()
    (site / ".git" / "config").write_text("secret")
    (site / "page.html~").write_text("secret")
    web.start()
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/x/../../secret.txt",
                 "/%2e%2e%2f%2e%2e%2fetc/passwd", "//../secret.txt", "/..\\secret.txt",
                 "/.%00./secret.txt", "/link.txt", "/.git/config", "/page.html~",
                 "/%c0%ae%c0%ae/secret.txt", "/../data/server.pem"):
        body, last, _ = curl(web, path)
        assert "secret" not in body and "root:" not in body and "PRIVATE" not in body, path
        assert last.split()[1] in ("400", "403", "404"), (path, last)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
# What two servers may understand differently (RFC 9112 sections 5.1, 5.2, 6.1, 6.3).
TWISTED = {
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
    "two lengths in one": b"Content-Length: 0, 40\r\n\r\n",
    "a length with a sign": b"Content-Length: +0\r\n\r\n",
    "a length in hex": b"Content-Length: 0x0\r\n\r\n",
    "chunks that are not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a folded field": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"X: a\r\n Content-Length: 40\r\n\r\n",
    "a blank before the colon": b"Content-Length : 40\r\n\r\n",
    "no name": b": 40\r\n\r\n",
    "a NUL": b"X: a\0b\r\n\r\n",
    "a bare carriage return": b"X: a\rContent-Length: 40\r\n\r\n",
    "a chunk's size that is none": b"Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n",
    "a chunk that is longer than it says": b"Transfer-Encoding: chunked\r\n\r\n1\r\nabcd\r\n0\r\n\r\n",
    "a chunk's size beyond 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
}


def test_a_request_that_could_hide_another_one_is_refused_and_the_connection_closed(host):
    web = host()
    web.start()
    for what, twisted in TWISTED.items():
        for path in (b"/", b"/api/v1/messages"):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            said = said_to(web.port, head + twisted + SMUGGLED, web.context)
            # A file is given without a look at a body that nobody reads; the connection ends there, too.
            unread = path == b"/" and what.startswith("a chunk")
            assert re.match(rb"HTTP/1.1 (4..|501|200) " if unread else rb"HTTP/1.1 (4..|501) ", said)
            assert said.count(b"HTTP/1.1 ") == 1, (what, path, said)
    for what, line in {"a bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
                       "no host": b"GET / HTTP/1.1\r\n\r\n",
                       "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                       "a body of GET": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
                       "no such version": b"GET / HTTP/3.7\r\nHost: a\r\n\r\n"}.items():
        said = said_to(web.port, line + SMUGGLED, web.context)
        assert re.match(rb"HTTP/1\.[01] [45]", said) and said.count(b"HTTP/1.") == 1, (what, said)
    assert b"smuggled" not in web.log_path.read_bytes()


def test_what_is_too_large_is_refused_before_it_is_kept(host):
    web = host()
    web.start()
    key = web.key("shop")
    assert curl(web, "/", "--http1.1", "-H", "X: " + "x" * 100_000)[1].endswith(" 431")
    long = said_to(web.port, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", web.context)
    assert re.match(rb"HTTP/1\.[01] 4", long)
    huge = f"POST /api/v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n" \
           "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    assert said_to(web.port, huge.encode(), web.context).startswith(b"HTTP/1.1 413")
    assert curl(web, "/")[1] == "2 200"


def test_another_certificate_is_shown_at_once_and_what_is_under_way_is_finished(host):
    web = host()
    size = 24 << 20
    (web.directory / "site/large.bin").write_bytes(bytes(size))
    web.start()
    first = shown(web)
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as plain, \
            web.context.wrap_socket(plain, server_hostname="127.0.0.1") as peer:
        peer.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = len(peer.recv(1000))
        web.make_certificate()

        def is_new():  # lighttpd before 1.4.79 drops one or another handshake: tests/rootfs has ours
            with contextlib.suppress(OSError):
                return shown(web) != first

        wait_until(is_new, "the other certificate")
        while more := peer.recv(1 << 20):
            got += len(more)
    assert got > size
    assert curl(web, "/")[1] == "2 200"
    # One that has no key is told, and changes nothing.
    second = shown(web)
    (web.directory / "own.pem").write_text(pathlib.Path(web.certificate).read_text())
    wait_until(lambda: "no key of this certificate" in state(web)["certificate"]["trouble"], "a complaint")
    assert shown(web) == second


def test_a_configuration_that_changes_counts_at_once_and_a_wrong_one_changes_nothing(host):
    web = host()
    web.start()
    assert curl(web, "/")[0] == "<p>ようこそ</p>"
    web.sections["www"]["hsts"] = "0s"
    other = web.directory / "other"
    other.mkdir()
    (other / "index.html").write_text("other")
    web.sections["www"]["site"] = str(other)
    web.write_config()
    wait_until(lambda: curl(web, "/")[0] == "other", "the other pages")
    assert "strict-transport" not in curl(web, "/", "-I")[0].lower()
    good = web.sender.config.read_text()
    web.sender.config.write_text(good + "www {")
    wait_until(lambda: "cannot be used" in web.front_log(), "a complaint")
    assert curl(web, "/")[0] == "other"
    # At another address it is started again; the old one is closed.
    web.sender.config.write_text(good)
    web.port, old = free_port(), web.port
    web.url = f"https://127.0.0.1:{web.port}"
    web.sections["www"]["listen-tls"] = [f"127.0.0.1:{web.port}"]
    web.write_config()
    wait_until(lambda: curl(web, "/")[0] == "other", "the other port")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", old), timeout=5)
    # Without a first page there is no site of the customer's, but a word that the server is up.
    (other / "index.html").unlink()
    wait_until(lambda: "It is up." in curl(web, "/")[0], "our page")


def test_the_log_has_neither_queries_nor_tokens_and_does_not_grow_for_ever(host):
    web = host(**{"access-log-max": 65536})
    web.start()
    curl(web, "/?key=SECRET1")
    for path in ("/t/SECRET2", "/u/SECRET3?x=SECRET4", "/a/SECRET5", "/f/SECRET6", "/p/SECRET7", "/v/SECRET8",
                 "/admin/welcome/SECRET9", "/api/v1/x?y=SECRET10"):
        curl(web, path)
    log, old = web.directory / "data/access.log", web.directory / "data/access.log.1"
    wait_until(lambda: log.exists() and "/api/v1/x " in log.read_text(), "lines")
    assert "SECRET" not in log.read_text() and '"GET /t/... HTTP/2.0" 404' in log.read_text()
    context = web.context

    def fill():
        requests = b"GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx HTTP/1.1\r\nHost: a\r\n\r\n" * 90
        said_to(web.port, requests + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", context)
        return old.exists() and log.exists() and log.stat().st_size < 65536

    wait_until(fill, "a turned log")
    assert sorted(file.name for file in log.parent.glob("access*")) == ["access.log", "access.log.1"]


def test_an_operator_puts_up_pages_and_a_certificate_and_sees_what_is_shown(host):
    web = host(names=["www.shop.test"])
    (web.directory / "site/index.html").unlink()
    web.start()

    def run(*words, stdin=None):
        return subprocess.run([web.sender.program, *words, "--config", str(web.sender.config)], input=stdin,
                              capture_output=True, text=True, timeout=60, check=False)

    assert run("pages", "put", "./news/a.txt", stdin="一\n").stdout == "4 bytes are served at /news/a.txt.\n"
    assert run("pages", "put", "index.html", stdin="first").returncode == 0
    wait_until(lambda: curl(web, "/")[0] == "first", "the first page")
    assert curl(web, "/news/a.txt")[0] == "一\n"
    rows = run("pages", "list").stdout.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["index.html", "news/a.txt"]
    for path in ("../x", "/x", ".git/config", "a/../x", "a b", "a//b", ""):
        assert run("pages", "put", path, stdin="x").returncode == 2, path
    assert run("pages", "remove", "news/a.txt").returncode == 0 and not (web.directory / "site/news").exists()
    told = run("certificate", "show").stdout
    assert "IT IS NOT FOR ALL OF THESE" in told and "days left" in told and "www.shop.test" in told
    refused = run("certificate", "put", stdin=pathlib.Path(web.certificate).read_text())
    assert refused.returncode == 1 and "key of the first certificate is not in it" in refused.stderr
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "-"]
    pem = subprocess.run(["openssl", "req", *words, "-subj", "/CN=the operator's", "-addext",
                          "subjectAltName=DNS:www.shop.test"],
                         check=True, capture_output=True, text=True).stdout
    assert "good until" in run("certificate", "put", stdin=pem).stdout
    wait_until(lambda: "the operator's" in shown(web), "the operator's certificate")
    wait_until(lambda: "your own, from the operator's" in run("certificate", "show").stdout, "news of it")
    assert "IT IS NOT" not in run("certificate", "show").stdout
    assert "certificate" not in run("check").stderr
    # `check` says in time that it ends.
    pem = subprocess.run(["openssl", "req", *words, "-days", "9", "-subj", "/CN=one that ends", "-addext",
                          "subjectAltName=DNS:www.shop.test"],
                         check=True, capture_output=True, text=True).stdout
    assert run("certificate", "put", stdin=pem).returncode == 0
    wait_until(lambda: "one that ends" in run("certificate", "show").stdout, "news of the second one")
    told = run("check")
    # Whole days: nine within the second that it was made in, eight after that.
    assert told.returncode == 0, told
    assert re.search("warning: the web server's certificate ends in [89] days ", told.stderr), told.stderr


def test_an_authority_gives_a_certificate_for_all_names_and_it_is_shown_at_once(host, tmp_path):
    web = host(certificate=None, acme=True, names=[NAME, OTHER], **{"acme-contact": "ops@shop.test"})
    with Pebble(tmp_path / "ca", web.plain_port, {NAME: "127.0.0.1", OTHER: "127.0.0.1"}) as pebble:
        web.sections["www"].update({"acme-directory": pebble.directory, "acme-ca-file": pebble.ca_file})
        web.write_config()
        web.start_front(NAME)
        wait_until(lambda: "Pebble" in shown(web), "the authority's certificate")
        names = re.findall(r"DNS:([\w.]+)", shown(web))
        assert sorted(names) == sorted([NAME, OTHER])
        told = state(web)
        assert told["certificate"]["kind"] == "acme" and told["certificate"]["is_for_names"]
        assert (told["acme"]["failures"], told["acme"]["trouble"]) == (0, "")
        # Others read it: the console, which is of another user's.
        assert pathlib.Path(web.sender.short, "www/state.json").stat().st_mode & 0o777 == 0o644
        # Nothing is left of the proofs, and the keys are for its owner alone.
        assert list(pathlib.Path(web.sender.short, "www/challenge").iterdir()) == []
        for file in ("acme.pem", "acme-account.pem", "server.pem"):
            assert (web.directory / "data" / file).stat().st_mode & 0o777 == 0o600
        # It stays over another start, and nobody asks for a second one.
        web.front.terminate()
        assert web.front.wait(30) == 0
        serial = re.search(r"Serial Number:\s+(\S+)", shown_after_restart(web))[1]
        time.sleep(1.2)
        assert serial in shown(web)


def shown_after_restart(web):
    """A web server of before, one that a renewal left to finish, may hold the port a moment longer."""
    web.start_front(NAME)

    def seen():
        try:
            return shown(web)
        except ConnectionError:
            return ""

    return wait_until(seen, "the certificate after the restart")
