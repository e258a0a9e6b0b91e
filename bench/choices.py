"""The part of the bench about settings of the product itself: what each is worth, beside the usual.

Ways take turns; the first one, which is as shipped, is what the others are compared with.
"""
import statistics

from report_text import spread, table
from session import say

USUAL = "as shipped: 4 messages in flight, not pinned"
SETTINGS = {
    USUAL: {},
    "1 message in flight": {"depth": 1},
    "2 messages in flight": {"depth": 2},
    "8 messages in flight": {"depth": 8},
    "workers pinned to cores": {"pinned": True},
    "heap on huge pages": {"environment": ["GLIBC_TUNABLES=glibc.malloc.hugetlb=1"]},
}
FULL, RESUMED = "full handshakes", "resumed handshakes"
# Name of the receiver: how many messages are enough, and what measures it.
RECEIVERS = {
    "signed, quick receiver": (lambda a: a.signed, {"sign": True}),
    "unsigned, quick receiver": (lambda a: a.unsigned, {"sign": False}),
    "unsigned, a receiver 20-50 ms away": (
        lambda a: a.unsigned // 20, {"sign": False, "sink_options": ["--delay-ms", "20-50"]}),
}


def one(s, wanted, options, count):
    run = s.measure("hikyaku", count=count, ledger=False, **wanted,
                    options={"workers": 2, "import_first": True, **options})
    return {"rate": run["sending_rate"], "cpu_us": 1e6 / run["per_cpu_second"], "good": run["good"],
            "resumed": run["tls_resumed"], "handshakes": run["tls_sessions"]}


def measure(s, a):
    found = []
    for receiver, (count, wanted) in RECEIVERS.items():
        runs = {setting: [] for setting in SETTINGS}
        for _ in range(a.choices_rounds):
            for setting, options in SETTINGS.items():
                runs[setting].append(one(s, wanted, options, count(a)))
        found += [{"receiver": receiver, "setting": setting, "runs": values}
                  for setting, values in runs.items()]
        best = max(SETTINGS, key=lambda setting: statistics.median(r["rate"] for r in runs[setting]))
        say(f"  {receiver}: the fastest is: {best}")
    handshakes = {FULL: [], RESUMED: []}
    for _ in range(a.choices_rounds):
        for kind in handshakes:
            wanted = {"sign": False, "starttls": True,
                      "sink_options": ["--no-resumption"] if kind == FULL else []}
            handshakes[kind].append(one(s, wanted, {"messages": 1, "tls": "opportunistic"},
                                        a.handshakes))
    s.keep("choices", {"settings": found, "handshakes": handshakes})


def cell(mine, base):
    if mine is base:
        return (f"{spread([run['rate'] for run in base])}/s, "
                f"{statistics.median(run['cpu_us'] for run in base):.1f} us")
    rate = statistics.median(x["rate"] / y["rate"] for x, y in zip(mine, base))
    cpu = statistics.median(x["cpu_us"] / y["cpu_us"] for x, y in zip(mine, base))
    return f"{rate:.2f}, {cpu:.2f}"


def section(found):
    """Ratios to the usual, round by round: rate, and CPU for a message (less is better)."""
    rows = []
    for setting in SETTINGS:
        row = [setting]
        for receiver in RECEIVERS:
            runs = {r["setting"]: r["runs"] for r in found["settings"] if r["receiver"] == receiver}
            row.append(cell(runs[setting], runs[USUAL]))
        rows.append(row)
    text = ("## Settings of our own\n\n8 KB, two workers, 64 sessions. First row: messages a second, CPU "
            "time a message. Other rows: times the\nfirst row's rate, times its CPU time.\n\n"
            + table(["setting", *RECEIVERS], rows))
    full, resumed = found["handshakes"][FULL], found["handshakes"][RESUMED]
    share = 100 * sum(r["resumed"] for r in resumed) / max(1, sum(r["handshakes"] for r in resumed))
    return text + (
        "\nOne message a connection over STARTTLS: "
        f"{spread([r['rate'] for r in full])}/s by full handshakes, "
        f"{spread([r['rate'] for r in resumed])}/s "
        f"where the receiver\nresumes sessions ({share:.0f} % were): "
        f"{statistics.median(r['cpu_us'] for r in full):.0f} and "
        f"{statistics.median(r['cpu_us'] for r in resumed):.0f} us of the sender's CPU a message.\n")
