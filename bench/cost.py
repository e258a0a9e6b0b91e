"""The cost model: what one machine sends, from its cores, the text's size and what the receivers allow.

Three things bound a sender. Its processors: a message costs so much CPU time, which grows with its size and
with what is done to it. Its sessions: each carries one transaction at a time, which takes as long as the
receiver and the way there. And the receivers' limits. The smallest of the three counts.

The constants come from a few cells of the run's own matrix (the corners); every other measurement is then
predicted and compared.
"""
import statistics

from job import read_providers
from report_text import table

SMALL, LARGE = 8192, 102400
KB = 1024


def cpu_us(runs):
    """CPU time of the sender for a message, microseconds."""
    return statistics.median(1e6 / run["per_cpu_second"] for run in runs)


# (size, signed, STARTTLS): what the constants are from.
CORNERS = {(size, sign, tls) for size in (SMALL, LARGE) for sign, tls in
           ((False, False), (True, False), (False, True))}


def cells_of(parts):
    """CPU time of a message by size, signed, STARTTLS; durable, 2 workers."""
    found = {}
    for cell in parts.get("matrix", []):
        runs = [run for run in cell["runs"] if run["good"]]
        if cell["durability"] == "full" and cell["workers"] == 2 and runs:
            found[cell["size"], cell["sign"], cell["starttls"]] = cpu_us(runs)
    return found


class Model:
    """us = base + kb * KB + (signed) sign_base + sign_kb * KB + (STARTTLS) tls_base + tls_kb * KB."""

    def __init__(self, cells):
        self.cells = cells
        self.base, self.kb = self.line(False, False)
        self.sign_base, self.sign_kb = self.more(True, False)
        self.tls_base, self.tls_kb = self.more(False, True)

    def line(self, sign, tls):
        """CPU time of an empty message, and of each KB."""
        small, large = self.cells[SMALL, sign, tls], self.cells[LARGE, sign, tls]
        kb = (large - small) / ((LARGE - SMALL) / KB)
        return small - kb * SMALL / KB, kb

    def more(self, sign, tls):
        base, kb = self.line(sign, tls)
        return base - self.base, kb - self.kb

    def us(self, size, sign=True, tls=False):
        value = self.base + self.kb * size / KB
        if sign:
            value += self.sign_base + self.sign_kb * size / KB
        if tls:
            value += self.tls_base + self.tls_kb * size / KB
        return value

    def rate(self, cores, size, sign=True, tls=False):
        """Messages a second when the processors are the bound and the sender has them for itself."""
        return cores * 1e6 / self.us(size, sign, tls)


def transaction_seconds(delay_ms, replies=3):
    """Mean time of a pipelined transaction whose replies wait independently in a range and keep order."""
    least, most = delay_ms
    return (least + (most - least) * replies / (replies + 1)) / 1000


def provider_seconds(provider, count):
    """How long a provider needs for its share: by its rate, or by its connections."""
    mine = count * provider.share / 100
    bounds = [mine / provider.rate] if provider.rate else []
    return max(bounds, default=0)


def off(predicted, measured):
    return f"{100 * (predicted / measured - 1):+.0f} %"


def checks(model, parts):
    rows = []
    for (size, sign, tls), measured in sorted(model.cells.items()):
        if (size, sign, tls) in CORNERS:
            continue
        words = f"{size // KB} KB, {'signed' if sign else 'unsigned'}, {'STARTTLS' if tls else 'plain'}"
        predicted = model.us(size, sign, tls)
        rows.append([f"CPU us a message: {words}", f"{predicted:.0f}", f"{measured:.0f}",
                     off(predicted, measured)])
    if "share" in parts:
        measured = statistics.median(one["ours"]["sending_rate"] for one in parts["share"])
        predicted = model.rate(1, SMALL)
        rows.append(["messages/s with one core for all of the sender, 8 KB signed", f"{predicted:,.0f}",
                     f"{measured:,.0f}", off(predicted, measured)])
    if "pace" in parts:
        pace = parts["pace"]
        predicted = pace["sessions"] / transaction_seconds(pace["delay_ms"])
        rows.append([f"messages/s of {pace['sessions']} sessions at a receiver whose replies wait "
                     f"{pace['delay_ms'][0]}-{pace['delay_ms'][1]} ms", f"{predicted:,.0f}",
                     f"{pace['rate']:,.0f}", off(predicted, pace["rate"])])
    if "world" in parts:
        ours = [run for one in parts["world"] for run in one if run["peer"] == "hikyaku" and run["good"]]
        if ours:
            count = ours[0]["count"]
            predicted = max(provider_seconds(p, count) for p in read_providers())
            measured = statistics.median(run["latency"]["p95"] for run in ours)
            rows.append([f"seconds until 95 % of {count:,} are with receivers that limit rates",
                         f"{0.95 * predicted:.1f}", f"{measured:.1f}", off(0.95 * predicted, measured)])
    return rows


EXAMPLES = [(2, SMALL), (4, SMALL), (8, SMALL), (2, LARGE), (8, LARGE)]


def section(parts):
    model = Model(cells_of(parts))
    constants = [
        ["queue, composing, SMTP, sockets", f"{model.base:.1f} us"],
        ["each KB of text", f"{model.kb:.2f} us"],
        ["signature (RSA-2048, batches)", f"{model.sign_base:.1f} us"],
        ["hash of each KB of text (when it differs for every recipient)", f"{model.sign_kb:.2f} us"],
        ["STARTTLS, sessions kept open", f"{model.tls_base:.1f} us"],
        ["STARTTLS, each KB of text", f"{model.tls_kb:.2f} us"]]
    machines = [[cores, f"{size // KB} KB", f"{model.rate(cores, size):,.0f}",
                 f"{model.rate(cores, size, tls=True):,.0f}",
                 f"{model.rate(cores, size, tls=True) * 3600 / 1e6:,.0f}",
                 f"{model.rate(cores, size, tls=True) * size * 8 / 1e9:.1f}"] for cores, size in EXAMPLES]
    return (
        "## What one machine sends: a cost model\n\nThe smallest of three counts.\n\n"
        "1. **Processors**: cores / CPU time of a message, which is the sum of the rows that apply:\n\n" +
        table(["what", "CPU time of a message"], constants) +
        "\n2. **Sessions**: sessions / time of a transaction. Where PIPELINING and CHUNKING are offered a "
        "transaction is one\nround trip and the receiver's own time (four round trips where nothing is "
        "offered): 64 sessions at a receiver that\nis 30 ms away and takes 70 ms for a message carry 640 "
        "messages/s.\n3. **Receivers**: for each site, its limit of messages/s, or of sessions as in 2.\n\n"
        "The constants are from six cells of the matrix above (durable, 2 workers). What they and the "
        "other two rules predict\nof everything else that this run measured:\n\n" +
        table(["what", "predicted", "measured", "off"], checks(model, parts)) +
        "\nA machine that has its cores for itself, like those measured on, when receivers take what they "
        "are given:\n\n" +
        table(["cores", "text", "messages/s, plain", "with STARTTLS", "millions an hour", "Gbit/s"],
              machines) +
        "\nA fleet begins where the third rule does: the large providers allow an address so many messages "
        "an hour, and no\nprocessor changes that. A second address (and with it a second customer's server, "
        "or another address of the same\none) multiplies what they take; a second machine does so for the "
        "first two rules only.\n")
