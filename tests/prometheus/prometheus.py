"""A real Prometheus with the shipped rules, for tests."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

import files
from ports import free_port
from sender import end_process


class Prometheus:
    """The shipped configuration with a target of the test's, asked every second."""

    def __init__(self, directory, target):
        config = yaml.safe_load(files.CONFIG.read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        shutil.copy(files.RULES, directory)
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.port = free_port()
        self.log = directory / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={directory}/prometheus.yml",
                 f"--storage.tsdb.path={directory}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def get(self, path, **arguments):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is still starting
                raise
            raise AssertionError(f"{arguments}: {json.load(error)['error']}") from None

    def query(self, expr):
        return self.get("query", query=expr)["result"]

    def has_seen(self, name):
        """Several scrapes that have it: rates of it are known."""
        try:
            return self.query(f"min_over_time(count_over_time({name}[1m])[1s:1s]) > 3")
        except OSError:  # it is still starting
            return []

    def rules(self):
        return {rule["name"]: rule for group in self.get("rules")["groups"] for rule in group["rules"]}

    def close(self):
        end_process(self.process)
