"""The page of metrics, judged by those that read such pages: promtool, the parsers of Prometheus's
Python library, curl, and a Prometheus server that scrapes the responder."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("VARIANT", "host")
PROGRAMS = ROOT / "build" / VARIANT / "tests/metrics"
SLOTS = 256


@pytest.fixture(scope="module", autouse=True)
def programs():
    names = ["expose_many", "serve_many"]
    subprocess.run(["make", "-s", f"VARIANT={VARIANT}"]
                   + [str((PROGRAMS / name).relative_to(ROOT)) for name in names],
                   cwd=ROOT, check=True)


def expose(form, names):
    done = subprocess.run([PROGRAMS / "expose_many", form, str(names)], check=True,
                          stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8")  # strict: a page that is not UTF-8 fails here


@pytest.fixture
def served():
    """The port of a responder whose registry was asked for 1,000 names."""
    port = free_port()
    with subprocess.Popen([PROGRAMS / "serve_many", str(port), "1000"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        yield port
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def samples_of(families):
    found = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"twice: {key}"
            found[key] = float(sample.value)
    return found


@pytest.mark.parametrize("names", [0, 10, 1_000_000])
def test_promtool_has_nothing_to_say(names):
    done = subprocess.run(["promtool", "check", "metrics"], input=expose("text", names), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_both_formats_say_the_same():
    text = samples_of(read_text(expose("text", 1000)))
    openmetrics = samples_of(read_openmetrics(expose("openmetrics", 1000)))
    assert len(text) > 4000
    assert text == openmetrics


def test_a_million_names_are_bounded_and_none_is_lost():
    samples = samples_of(read_openmetrics(expose("openmetrics", 1_000_000)))
    delivered = {key: value for key, value in samples.items()
                 if key[0] == "hikyaku_messages_total" and ("outcome", "delivered") in key[1]}
    assert len(delivered) == SLOTS
    # The driver counts i % 100 + 1 for the i-th name, wherever its slot is.
    assert sum(delivered.values()) == sum(i % 100 + 1 for i in range(1_000_000))
    other = ("hikyaku_messages_total",
             (("outcome", "delivered"), ("site", "other"), ("source", "other")))
    assert delivered[other] == sum(i % 100 + 1 for i in range(SLOTS - 1, 1_000_000))


def test_ugly_names_come_back_as_they_went_in():
    sites = {dict(labels).get("site") for _, labels in samples_of(read_text(expose("text", 13)))}
    for site in ('"\n\\0', "\\n1", '{le="1"} 1\n# EOF2', "\ufffd\ufffd.test3",
                 "\ufffd\ufffd\ufffd4", "日本.example5", "6", " 7", "\r\n8", "a\tb9", "#10",
                 "\ufffd11", "\x7f\x0112"):
        assert site in sites


def test_curl_gets_the_page(served):
    text = subprocess.run(["curl", "-sS", "--fail", f"http://127.0.0.1:{served}/metrics"],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    openmetrics = subprocess.run(
        ["curl", "-sS", "--fail", "-H", "Accept: application/openmetrics-text",
         f"http://127.0.0.1:{served}/metrics"], check=True, stdout=subprocess.PIPE).stdout.decode()
    assert samples_of(read_text(text)) == samples_of(read_openmetrics(openmetrics))


def ask_prometheus(port, query):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def wait_for_scrape(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            result = ask_prometheus(port, "up")
        except OSError:
            result = []
        if result:
            return result[0]["value"][1]
        time.sleep(0.3)
    raise AssertionError("Prometheus scraped nothing")


@pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus is not installed")
def test_prometheus_scrapes_the_responder(served, tmp_path):
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: hikyaku\n"
        f"  static_configs:\n  - targets: ['127.0.0.1:{served}']\n")
    port = free_port()
    with subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            assert wait_for_scrape(port, process) == "1"
            (total,) = ask_prometheus(port, 'sum(hikyaku_messages_total{outcome="delivered"})')
            (ugly,) = ask_prometheus(port, 'hikyaku_message_bytes_total{site="\\"\\n\\\\0"}')
        finally:
            process.terminate()
    assert int(total["value"][1]) == sum(i % 100 + 1 for i in range(1000))
    assert ugly["metric"]["source"] == "2001:db8::1"
