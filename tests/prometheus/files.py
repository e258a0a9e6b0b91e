"""What is shipped for Prometheus and Grafana, and what its expressions ask for."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "appliance/prometheus"
RULES = SHIPPED / "rules.yml"
CONFIG = SHIPPED / "prometheus.yml"
INIT_PAGE = pathlib.Path(__file__).with_name("init.prom")

SELECTOR = re.compile(r'\b((?:hikyaku|process)_[a-z0-9_]+|up)\b(\{[^}]*\})?')


def alerts():
    """[{"alert", "expr", "labels", "annotations", ...}], as Prometheus reads them."""
    import yaml
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard():
    return json.loads((SHIPPED / "dashboard.json").read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def as_grafana_asks(expr):
    """With the dashboard's variables put in."""
    return expr.replace("$__rate_interval", "1m").replace("$instance", ".*")


def dashboard_expressions():
    exprs = [target["expr"] for panel in panels() for target in panel["targets"]]
    exprs += [annotation["expr"] for annotation in dashboard()["annotations"]["list"]]
    return [as_grafana_asks(expr) for expr in exprs]


def selectors(expr):
    """'hikyaku_messages_total{outcome="failed"}' and the like: each series that it asks for."""
    return sorted({name + (matchers or "") for name, matchers in SELECTOR.findall(expr)})


def machine_metrics():
    """Names on the page of init, from its source."""
    machine = (ROOT / "src/init/init_metrics.c").read_text()
    identity = (ROOT / "src/init/identity_note.c").read_text()
    return set(re.findall(r'head\(page, "(\w+)"', machine) + re.findall(r'\{ "(hikyaku_\w+)"', identity))
