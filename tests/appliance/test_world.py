"""An appliance among what it meets: a DHCP server, a real Postfix, a real Prometheus, a web server with
upgrades, services that die, a disk that fills up. Each test goes on from where the one before it ended."""
import contextlib
import csv
import email
import email.policy
import functools
import http.client
import http.server
import json
import os
import re
import sys
import threading
import time

import pytest

from machine import TOP, qemu
from operation import DOMAIN, HOST, HTTP_PORT, OUTSIDE, Operation, bundle, is_signed

sys.path.append(str(TOP / "tests/prometheus"))
import files  # noqa: E402
from peers.postfix import Postfix  # noqa: E402
from prometheus import Prometheus  # noqa: E402

ROOTFS = TOP / "build/rootfs/rootfs.cpio.zst"
READERS = 40
SIZE = 360 << 20  # of its disk, about the least that it takes: it is full soon

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Postfix wants to be started by root")


@pytest.fixture(scope="module", name="postfix")
def make_postfix(tmp_path_factory):
    server = Postfix(tmp_path_factory.mktemp("receiver"), "postfix.example").start()
    yield server
    server.close()
    print(server.log()[-4000:])


@pytest.fixture(scope="module", name="world")
def make_world(tmp_path_factory):
    """A machine that is told its name and its operator's key, and finds the network by DHCP."""
    operation = Operation(tmp_path_factory.mktemp("world"), network="", size=SIZE)
    yield operation
    operation.close()


def route_to(server):
    """To one that listens at the host's loopback."""
    return f'route "{server.domain}" {{ relay = "{OUTSIDE}:{server.port}" }}'


@pytest.fixture(scope="module", name="record")
def configured(world, postfix):
    """It sends from here on: the DNS record of its key."""
    world.machine.start()
    world.wait_for_login()
    return world.configure(route_to(postfix))


@pytest.fixture(scope="module", name="prometheus")
def make_prometheus(world, record, tmp_path_factory):
    server = Prometheus(tmp_path_factory.mktemp("prometheus"),
                        f"127.0.0.1:{world.machine.forward[qemu.METRICS_PORT]}")
    yield server
    server.close()


def service(world, name):
    return next(one for one in world.ask("service", "list") if one["name"] == name)


def wait_until_runs(world, name):
    return world.wait(lambda: (s := service(world, name))["state"] == "running" and s, name)


def test_dhcp_gives_it_address_route_and_resolver(world, record):
    shown = world.ask("network", "show")[0]
    card = next(one for one in shown["interfaces"] if one["name"] == "eth0")
    assert card["method"] == "dhcp" and "10.0.2.15/24" in card["addresses"]
    assert card["gateway"] == OUTSIDE and card["lease_ms"] > 0
    assert shown["resolvers"] == ["10.0.2.3"]


def test_what_the_installation_said_can_be_changed_on_the_console(world, record):
    world.ssh("network", "set", "eth0", "mtu=1400")
    assert "counted before" in world.ssh("network", "revert").stdout


def test_pages_are_served_under_the_machines_name(world, record):
    world.wait_for_pages()
    status, page = world.page()
    assert status == 200 and page == (TOP / "rootfs/tree/usr/share/www/index.html").read_text()
    plain = http.client.HTTPConnection("127.0.0.1", world.machine.forward[HTTP_PORT], timeout=60)
    plain.request("GET", "/a?b=c", headers={"Host": HOST})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/a?b=c")


def test_the_customers_own_pages_and_certificate_are_served(world, record):
    world.ssh("pages", "put", "./news/index.html", stdin="<p>ニュース</p>")
    world.ssh("pages", "put", "index.html", stdin="<p>ようこそ</p>")
    world.wait(lambda: world.page()[1] == "<p>ようこそ</p>", "the customer's page")
    assert world.page("/news/")[1] == "<p>ニュース</p>" and world.page("/etc/passwd")[0] == 404
    assert [row["path"] for row in world.ask("pages", "list")] == ["index.html", "news/index.html"]
    told = world.ask("certificate", "show")[0]["certificate"]
    assert told["kind"] == "self-signed" and told["names"] == [HOST] and told["is_for_names"]
    wanted = f'hikyaku_certificate_expires_seconds{{host="{HOST}",kind="self-signed"}} {told["until_s"]}\n'
    world.wait(lambda: wanted in world.metrics(), "the page of metrics")
    for path in ("index.html", "news/index.html"):
        world.ssh("pages", "remove", path)
    world.wait(lambda: "It is up." in world.page()[1], "our own page")


def test_a_real_postfix_takes_a_campaign_and_what_it_has_verifies(world, record, postfix):
    addresses = [f"reader{i}@{postfix.domain}" for i in range(READERS)] + [f"nobody@{postfix.domain}"]
    world.create("spring", addresses)
    status = world.wait_done("spring")
    assert (status["delivered"], status["failed"], status["doubts"]) == (READERS, 1, 0)
    mails = postfix.wait_for(READERS)
    assert sorted(mail.recipient for mail in mails) == sorted(addresses[:-1])
    for mail in mails:
        assert mail.received[0].startswith(f"Received: from {HOST}") and "using TLSv1.3" in mail.received[0]
        # What Postfix puts on top is above what was signed.
        assert is_signed(mail.wire, record)
    # The image's kernel encrypted all of it: the role may ask for that, without rights.
    counts = {line.split()[0]: int(line.split()[1]) for line in world.metrics().splitlines()
              if line.startswith(("hikyaku_tls_messages_total", "hikyaku_tls_kernel_sessions_total"))}
    kernel = counts.pop('hikyaku_tls_messages_total{by="kernel"}')
    sessions = counts.pop('hikyaku_tls_kernel_sessions_total{result="on"}')
    # Who is refused at RCPT may be sent the content all the same.
    assert READERS <= kernel <= READERS + 1 and sessions > 0 and not any(counts.values()), counts
    failed = world.ask("campaign", "report", "spring", "--outcome", "failed")
    assert [(row["address"], row["code"]) for row in failed] == [(addresses[-1], 550)]


def test_a_program_sends_mail_by_the_interface(world, record, postfix):
    key = world.ssh("api-key", "add", "shop", "--customer", DOMAIN, "--scope", "send,read").stdout.strip()
    mail = {"from": f"shop@{DOMAIN}", "subject": "ご注文 {{n}}", "text": "{{n}}",
            "to": [{"address": f"reader0@{postfix.domain}", "values": {"n": 4711}}]}
    assert world.page("/api/v1/messages", "POST", key + "x", mail)[0] == 401
    status, answer = world.page("/api/v1/messages", "POST", key, mail)
    assert status == 202, answer
    got = postfix.wait_for(READERS + 1)[-1]
    assert got.recipient == f"reader0@{postfix.domain}" and is_signed(got.wire, record)
    where = f"/api/v1/messages/{json.loads(answer)['id']}"
    world.wait(lambda: json.loads(world.page(where, key=key)[1])["state"] == "delivered", "the letter's end")


CUSTOMERS = "メールアドレス,氏名,購入額\r\n" + "".join(
    f"reader{i}@postfix.example,森 {i}郎,\"{i},000\"\r\n" for i in range(5))
MAIL = """<p>{{name|default:"お客様"}}さん</p><p>{{#if amount >= 3000}}先行販売{{#else}}新作{{/if}}</p>
<p><a href="https://shop.example/winter">見る</a></p><p>飛脚堂 東京都千代田区1-1 help@courier.example</p>
<p><a href="{{unsubscribe_url}}">配信停止</a></p>"""


def html_of(mail):
    return email.message_from_bytes(mail.wire, policy=email.policy.default).get_body(("html",)).get_content()


def link_of(html, kind):
    return re.search(rf"https://{HOST}(/{kind}/[^\"'<> ]+)", html)[1]


def send_form(person, path, action, **fields):
    return person.get(path).send(action, **fields)


def prepare(person):
    """Who sends, a list, and customers from a file as Excel in Japan writes it."""
    page = send_form(person, "/admin/settings", "/admin/settings", **{
        "sender-name": "飛脚堂", "sender-address": "東京都千代田区1-1", "sender-contact": "help@courier.example"})
    assert page.status == 200, page.text
    send_form(person, "/admin/lists", "/admin/lists", name="news", title="メールマガジン")
    page = person.get("/admin/imports").send("/admin/imports", files={
        "file": ("顧客.csv", CUSTOMERS.encode("cp932"), "text/csv")})
    assert "shift_jis" in page.text, page.text
    page = page.send(page.path + "/plan", do="run", n1="name", n2="amount", t2="2", lists="1",
                     source="counter", date="2026-01-01")
    return page.path


def test_a_marketer_does_a_day_by_the_machines_own_pages(world, record, postfix):
    before = len(postfix.wait_for(READERS))
    person = world.person().become(f"mori@{DOMAIN}")
    path = prepare(person)
    world.wait(lambda: "Done" in person.get(path).text, "the import")
    page = send_form(person, "/admin/campaigns/new", "/admin/campaigns", **{
        "name": "冬", "from": f"飛脚堂 <news@{DOMAIN}>", "subject": "{{name}}さんへ", "preheader": "冬の新作",
        "html": MAIL, "list": "1", "zone_attribute": ""})
    campaign = page.path
    # This world has no DNS that would vouch for the domain: she has to say that she knows.
    stopped = page.send(campaign + "/schedule")
    assert stopped.status == 422 and "refuse" in stopped.text, stopped.answer.text[-2000:]
    started = stopped.send(campaign + "/schedule", override="identity")
    assert started.status == 200 and "Done." in started.text, started.answer.text[-2000:]
    mails = {mail.recipient: mail for mail in postfix.wait_for(before + 5)[before:]}
    assert sorted(mails) == [f"reader{i}@{postfix.domain}" for i in range(5)]
    assert all(is_signed(mail.wire, record) for mail in mails.values())
    html = {recipient: html_of(mail) for recipient, mail in mails.items()}
    assert "先行販売" in html[f"reader4@{postfix.domain}"] and "新作" in html[f"reader2@{postfix.domain}"]
    time.sleep(4)  # who clicks sooner is taken for a gateway
    reader = world.person()
    reader.session.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
    for i in range(3):
        assert reader.get(link_of(html[f"reader{i}@{postfix.domain}"], "t/o")).status == 200
    gone = reader.get(link_of(html[f"reader0@{postfix.domain}"], "t/c"), allow_redirects=False)
    assert (gone.status, gone.answer.headers["Location"]) == (302, "https://shop.example/winter")
    left = reader.post(link_of(html[f"reader1@{postfix.domain}"], "u"), {"List-Unsubscribe": "One-Click"})
    assert left.status == 200
    counts = {("delivered", 5), ("opened", 3), ("clicked", 1), ("unsubscribed", 1)}
    world.wait(lambda: counts <= {(row[0], int(row[-1])) for row in csv.reader(
        person.get(campaign + "/report.csv").answer.text.splitlines()[1:])}, "the report")
    world.wait(lambda: world.ssh("suppression", "list").stdout.count(f"reader1@{postfix.domain}") == 1,
               "the sender to know who left")


def test_a_real_prometheus_scrapes_the_machine_and_no_alert_rings(world, prometheus):
    world.wait(lambda: prometheus.has_seen("hikyaku_messages_total"), "Prometheus to have scraped")
    # Whether its mail would align is known once somebody has asked DNS: here it says nothing of it.
    world.ssh("check", "identity", check=False)
    world.wait(lambda: prometheus.has_seen("hikyaku_identity_aligned"), "the page")
    assert [value for _, value in (row["value"] for row in prometheus.query("up"))] == ["1"]
    asked = {selector for rule in files.alerts() for selector in files.selectors(rule["expr"])}
    # No webhook is configured here, and no address warmed up: tests/prometheus has both.
    missing = sorted(selector for selector in asked if not prometheus.query(selector)
                     and not selector.startswith(("hikyaku_hook_", "hikyaku_warmup_")))
    assert missing == []
    world.wait(lambda: all(rule["health"] == "ok" for rule in prometheus.rules().values()), "all judged")
    assert [name for name, rule in prometheus.rules().items() if rule["state"] == "firing"] == []


def test_a_sender_that_dies_in_mid_campaign_is_started_again_and_counted(world, prometheus):
    addresses = [f"reader{i}@slow.example" for i in range(300)]
    world.create("summer", addresses)
    world.wait(lambda: world.status("summer")["delivered"] > 20, "some to be sent", every=0.1)
    before = service(world, "send")
    world.ssh("service", "kill", "send")
    after = wait_until_runs(world, "send")
    assert after["pid"] != before["pid"] and after["restarts"] == before["restarts"] + 1
    assert after["last_exit"] == "signal 9 (Killed)"
    # The page is the sender's: while it is gone, so is the page.
    counted = f'hikyaku_service_restarts_total{{service="send"}} == {after["restarts"]}'
    world.wait(lambda: prometheus.query(counted), counted)
    world.wait_for_sender()
    world.wait_done("summer")
    assert world.complaints("summer", addresses, world.slow_sink) == []


@pytest.mark.parametrize("name", ["ntp", "ssh", "www", "web", "console-ttyS0", "dhcp-eth0"])
def test_every_other_service_comes_back_as_well(world, record, name):
    before = service(world, name)
    world.machine.pass_by()
    # What becomes of it is not heard by who kills the way that he came by.
    world.ssh("service", "kill", name, check=name != "ssh")
    world.wait(world.lets_in, "ssh")
    after = wait_until_runs(world, name)
    assert after["restarts"] == before["restarts"] + 1
    if name == "www":
        world.wait_for_pages()
    if name == "console-ttyS0":
        # What is typed before it reads is not for it.
        world.machine.wait_for(f"{HOST}> ")
        world.machine.send("version")
        world.machine.wait_for(r"hikyaku \d+\.\d+")


def test_a_service_that_cannot_start_stops_neither_console_nor_the_others(world, record, postfix):
    route = route_to(postfix)
    # An address that is not the machine's: it is no fault of the file's.
    broken = world.config(route).replace("0.0.0.0:9641", "192.0.2.99:9641")
    world.ssh("config", "replace", "-", stdin=broken)
    said = world.ssh("service", "restart", "send", check=False)
    assert said.returncode == 1 and "send is backing-off: it ended with exit code" in said.stdout
    world.wait_until_said("192.0.2.99", "logs", "send")
    assert service(world, "ssh")["state"] == "running"
    world.machine.send("service list")
    # It may just be tried again.
    world.machine.wait_for("send +(backing-off|starting)")
    world.ssh("config", "replace", "-", stdin=world.config(route))
    assert world.ssh("service", "restart", "send").stdout.startswith("send is running")
    world.wait_for_sender()


def available(world):
    return world.ask("status")[0]["system"]["data"]["available"]


def fill_disk(world):
    """Files of the operator's on all but the last kilobytes of the disk; their names."""
    names = []
    while (left := available(world)) > 128 << 10:
        names.append(f"filler{len(names)}")
        size = min(48 << 20, left - (64 << 10))
        world.ssh("file", "put", names[-1], stdin=bytes(size), seconds=300)
    return names


def test_on_a_full_disk_what_is_under_way_is_finished_and_nothing_new_is_taken(world, prometheus):
    addresses = [f"late{i}@slow.example" for i in range(1500)]

    def create(name):
        return world.ssh("campaign", "create", "--name", name, "--customer", DOMAIN, "--template",
                         "/data/backup/news.eml", "--recipients", "-", stdin="email,name\na@slow.example,\n",
                         check=False)

    world.create("autumn", addresses)
    world.ssh("campaign", "pause", "autumn")
    names = fill_disk(world)
    try:
        more = world.ssh("file", "put", "more", stdin=bytes(1 << 20), check=False)
        assert more.returncode == 1 and b"No space left" in more.stderr
        world.ssh("campaign", "resume", "autumn")
        world.wait_until_said("NEARLY FULL, imports wait", "status")
        world.wait(lambda: prometheus.query('hikyaku_data_bytes{state="available"} < 2e5'), "the page")
        refused = create("more")
        assert refused.returncode == 1 and "no room for new recipients" in refused.stderr
        world.wait(lambda: world.status("autumn")["delivered"] > 100, "some to be sent", every=0.1)
        world.machine.cut()
        world.machine.start()
        world.wait_for_login()
        world.wait_for_sender()
        world.wait_done("autumn")
        assert world.complaints("autumn", addresses, world.slow_sink) == []
    finally:
        for name in names:
            world.ssh("file", "remove", name)
    world.wait(lambda: create("more").returncode == 0, "room for an import")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web_server(folder):
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_an_upgrade_is_fetched_from_a_web_server(world, record, tmp_path):
    bundle(tmp_path / "new.bundle", ROOTFS, "9.0.1")
    with web_server(tmp_path) as port:
        gone = world.ssh("upgrade", f"http://{OUTSIDE}:{port}/gone.bundle", check=False, seconds=300)
        assert gone.returncode == 1 and "404" in gone.stderr
        said = world.ssh("upgrade", f"http://{OUTSIDE}:{port}/new.bundle", seconds=300).stdout
    assert "version 9.0.1, signed by test" in said
    certificate = world.certificate()
    world.restart()
    world.wait_until_good()
    # Mail and pages were tried before it was called good; whoever trusted the certificate still does.
    said = world.ssh("logs", "init").stdout
    assert "event=test" in said and "https://127.0.0.1/: " in said
    world.wait_for_pages()
    assert world.certificate() == certificate
    assert world.status("autumn")["state"] == "done"
