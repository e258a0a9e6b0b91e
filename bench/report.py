"""RESULTS.md from the figures of a run."""
import statistics

import choices
import cost
import report_scale
import in_guest
import ways
from report_text import spread, table

OURS = "hikyaku"


def by_name(rounds):
    found = {}
    for one in rounds:
        for run in one:
            found.setdefault(run["peer"], []).append(run)
    return found


def counted(runs):
    """Those that did what was asked for."""
    return [run for run in runs if run["good"]]


def not_counted(runs):
    """What stands in place of a figure when no run counts."""
    return "not what was asked for" if any(run["arrived"] for run in runs) else "delivered nothing"


def median(runs, key):
    """Of the runs that count; 0 when none does."""
    values = [run[key] for run in counted(runs)]
    return statistics.median(values) if values else 0


def ratios(rounds, name, key):
    """Ours to theirs, round by round; no round in which either does not count."""
    found = []
    for one in rounds:
        ours = median([run for run in one if run["peer"] == OURS], key)
        theirs = [run[key] for run in counted(one) if run["peer"] == name]
        found += [ours / value for value in theirs if ours and value]
    return found


def seconds(value):
    return "-" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def fastest_first(found):
    return sorted(found.items(), key=lambda item: -median(item[1], "rate"))


def peers(rounds):
    rows = []
    for name, runs in fastest_first(by_name(rounds)):
        good = counted(runs)
        row = [runs[0]["title"], runs[0]["queue"], f"{runs[0]['count']:,}"]
        if not good:
            rows.append([*row, f"**{not_counted(runs)}**", *["-"] * 5])
            continue
        waits = min(good, key=lambda run: run["latency"]["max"])["latency"]
        rows.append([
            *row, spread([run["rate"] for run in good]),
            "" if name == OURS else f"**{spread(ratios(rounds, name, 'rate'), 1)}**",
            spread([run["cpu_seconds"] / run["arrived"] * 1000 for run in good], 2),
            spread([run["per_cpu_second"] for run in good]),
            "" if name == OURS else f"**{spread(ratios(rounds, name, 'per_cpu_second'), 1)}**",
            " / ".join(seconds(waits[p]) for p in ("p50", "p95", "p99", "max"))])
    return "## The same job\n\n" + PEERS_TEXT + "\n" + table(
        ["sender", "queue", "messages", "messages/s", "ours is x times", "CPU s per 1,000",
         "messages per CPU s", "ours is x times",
         "s until 50 / 95 / 99 / 100 % had their mail (best run)"], rows)


PEERS_TEXT = """\
One newsletter (8 KB of text with a personal greeting and link, so that no two texts are alike), signed with
RSA-2048, `relaxed/relaxed`, to one list; sink and sender share the machine. From the moment when template
and list are handed over to the sink's last acceptance; everything arrived once, and the signatures of a
sample verified, in every run that counts. Slow senders get the first part of the list. CPU seconds are those
of the sender with all its processes; what hands the mail over to a server is not counted, ours includes it.
"""


def world(rounds):
    rows = []
    for name, runs in by_name(rounds).items():
        best = max(runs, key=lambda run: (run["complete"], -run["latency"].get("max", 1e9)))
        refused = best["turned_away"] + best["throttled"]
        waits = best["latency"]
        rows.append([
            best["title"], (f"{best['arrived']:,} of {best['expected']:,}" if best["arrived"]
                            else "**delivered nothing**"),
            " / ".join(seconds(waits.get(p)) for p in ("p50", "p95", "max")),
            spread([run["rate"] for run in counted(runs)]),
            f"{1000 * refused / best['count']:,.0f}", f"{1000 * best['deferred'] / best['count']:,.0f}",
            f"{best['connections']:,}", spread([run["per_cpu_second"] for run in counted(runs)])])
    return "## Among receivers with limits\n\n" + WORLD_TEXT + "\n" + table(
        ["sender", "arrived", "s until 50 / 95 / 100 %", "messages/s", "told to slow down, per 1,000",
         "deferred by the receiver, per 1,000", "connections", "messages per CPU s"], rows)


WORLD_TEXT = """\
The same newsletter to the providers of [providers.conf](providers.conf): they answer after a while, limit
connections, messages in a connection and messages a second, greylist, know not every address and refuse some
mail. Everybody knows the limits of connections and uses them as far as it can be told to; a retry after 5 s
stands for one after minutes. Here nobody can be faster than the receivers allow: what counts is how
soon the mail is there, how often a receiver had to say "slow down", and what it cost.
"""


def latency(found):
    rows = [[run["title"], *(f"{1000 * run['latency'][p]:,.0f}" for p in ("p50", "p95", "p99", "max")),
             f"{1000 * run['cpu_seconds'] / run['arrived']:,.1f}"] if run["good"] else
            [run["title"], f"**{not_counted([run])}**", *["-"] * 4] for run in found]
    return ("## One mail at a time\n\nA mail every 50 ms to a sender that is idle: milliseconds from the "
            "moment when it is handed over to the\nsink's acceptance. Ours makes a campaign of one "
            "recipient each time, by a command line program that is started for it.\n\n" +
            table(["sender", "p50", "p95", "p99", "most", "CPU ms a mail"], rows))


def nosync(found, rounds):
    usual = by_name(rounds) if rounds else {}
    rows = []
    for run in found:
        before = median(usual.get(run["peer"], []), "rate")
        rows.append([run["title"], f"{run['rate']:,.0f}" if run["good"] else f"**{not_counted([run])}**",
                     f"{run['rate'] / before:.2f}" if run["good"] and before else "-"])
    return ("## How much is the disk\n\nThe same job with an fsync that does nothing (no sender may be run "
            "so): what remains is processor.\n\n" +
            table(["sender", "messages/s", "times the usual"], rows))


def matrix(found, limits):
    bare = {int(size): statistics.median(one["bare"][size]["messages_per_second"] for one in limits)
            for size in (limits[0]["bare"] if limits else {})}
    rows = []
    for cell in found:
        runs = counted(cell["runs"])
        rate = [run["sending_rate"] for run in runs]
        size = cell["size"]
        share = f"{statistics.median(rate) / bare[size]:.2f}" if rate and size in bare and \
            not cell["sign"] else ""
        rows.append([f"{size // 1024} KB", "yes" if cell["sign"] else "no",
                     "relaxed" if cell["durability"] == "relaxed" else "durable",
                     "STARTTLS" if cell["starttls"] else "plain", cell["workers"],
                     spread(rate) if rate else f"**{not_counted(cell['runs'])}**",
                     spread([run["bytes"] * run["sending_rate"] / 1e6 for run in runs]),
                     spread([run["per_cpu_second"] for run in runs]), share])
    return ("## Ours in all its ways\n\nFrom the start of an imported campaign to the last acceptance; the "
            "text differs for every recipient.\n*Durable*: every accepted record and every result is synced "
            "to the disk before it counts; *relaxed*:\n`durability = \"relaxed\"`, a power cut may take "
            "back the last commit.\n\n" +
            table(["text", "signed", "queue", "transport", "workers", "messages/s", "MB/s",
                   "messages per CPU s", "of the bare client"], rows))


def limits_and_share(limits, share):
    rows = [["OpenSSL, RSA-2048 signatures/s, one thread", spread([one["sign_1"] for one in limits])],
            ["OpenSSL, two threads", spread([one["sign_2"] for one in limits])]]
    for size in limits[0]["bare"]:
        rows.append([f"bare ring client, {int(size) // 1024} KB, BDAT, one thread, messages/s",
                     spread([one["bare"][size]["messages_per_second"] for one in limits])])
    share = [one for one in share or [] if one["ours"]["good"]]
    if share:
        rows += [["sender with one worker, all of it on one core, signed 8 KB, messages/s",
                  spread([one["ours"]["sending_rate"] for one in share])],
                 ["OpenSSL on that core, signatures/s", spread([one["limit"] for one in share])],
                 ["**share of OpenSSL's rate** (batches of signatures may bring it over 1)",
                  f"**{spread([one['ours']['sending_rate'] / one['limit'] for one in share], 3)}**"]]
    return "## Limits\n\n" + table(["what", "figure"], rows)


def instructions(found):
    rows = [[name, f"{value:,.0f}"] for name, value in found["per_message"].items()]
    return ("## Instructions\n\n" + found["about"] + "\n\n" + table(["per message", "instructions"], rows))


def runs_of(data):
    """Every measurement of a sender, whatever part it belongs to."""
    found = data["parts"]
    for part in ("peers", "world"):
        for one in found.get(part, []):
            yield from one
    for part in ("latency", "nosync"):
        yield from found.get(part, [])
    for cell in found.get("matrix", []):
        yield from cell["runs"]
    yield from (one["ours"] for one in found.get("share", []))
    yield from (one["run"] for one in found.get("growth", []))
    yield from (one["run"] for one in found.get("commits", {}).get("runs", []))


def verdict(data):
    runs = list(runs_of(data))
    disturbed = [run for run in runs if run["noise"]["why"]]
    ours = [run["rate"] for one in data["parts"].get("peers", []) for run in counted(one)
            if run["peer"] == OURS]
    width = (max(ours) - min(ours)) / statistics.median(ours) if len(ours) > 1 else 0
    foreign = statistics.mean(run["noise"]["foreign"] for run in runs) if runs else 0
    text = (f"{len(disturbed)} of {len(runs)} measurements were disturbed although those were repeated "
            f"(others used {foreign:.1%} of the CPU\non average; our own figure for the job varied by "
            f"{width:.0%}; calibration {data['calibration_first']:,.0f} signatures/s before, "
            f"{data['calibration_last']:,.0f} after,\n{data['best']:,.0f} at best).")
    if len(disturbed) > len(runs) / 4 or width > 0.25:
        return ("**The machine was too noisy to conclude anything from single figures**: " + text +
                " Ratios of rates are wrong\nby as much as the spread; figures per CPU second suffer less.")
    return "The machine was quiet enough: " + text


def versions(data):
    found = {}
    for run in runs_of(data):
        found[run["title"]] = run["version"]
    return ", ".join(sorted(found.values()))


def failures(data):
    bad = [run for run in runs_of(data) if not run["good"]]
    if not bad:
        return ""
    lines = [f"- {run['title']}: {run['arrived']:,} of {run['expected']:,} arrived in time, "
             f"{run['duplicates']} twice, {run['malformed']} malformed" if run["arrived"] else
             f"- {run['title']}: delivered nothing" for run in bad]
    return ("\n**Runs that did not do what was asked for** (their figures do not count):\n\n" +
            "\n".join(lines) + "\n")


def write(data, path):
    found, m = data["parts"], data["machine"]
    head = (f"# Results of `make bench`\n\n{data['started']}, commit {data['commit']}. {m['cores']} x "
            f"{m['cpu']}{' (with AVX-512 IFMA)' if m['ifma'] else ''}, {m['memory_gib']} GiB, Linux "
            f"{m['kernel']}; load before the run {data['load']:.2f}; {data['minutes']} minutes.\n"
            f"{versions(data)}.\n\nMedians, with the least and the most where there are several; ratios "
            "are taken round by round.\nHow it is measured: [README.md](README.md); how the peers are "
            f"tuned: [peers/README.md](peers/README.md).\n\n{verdict(data)}\n{failures(data)}\n"
            "![The figures as a plot](results.svg)\n")
    sections = [head]
    if "peers" in found:
        sections.append(peers(found["peers"]))
    if "world" in found:
        sections.append(world(found["world"]))
    if "latency" in found:
        sections.append(latency(found["latency"]))
    if "nosync" in found:
        sections.append(nosync(found["nosync"], found.get("peers")))
    if "limits" in found:
        sections.append(limits_and_share(found["limits"], found.get("share")))
    if "matrix" in found:
        sections.append(matrix(found["matrix"], found.get("limits", [])))
    long_and_many = report_scale.section(found)
    if long_and_many:
        sections.append(long_and_many)
    if "commits" in found:
        sections.append(report_scale.commits(found["commits"]))
    if cost.CORNERS <= cost.cells_of(found).keys():
        sections.append(cost.section(found))
    if "choices" in found:
        sections.append(choices.section(found["choices"]))
    if "ways" in found:
        sections.append(ways.section(found["ways"]))
    if "guest" in found:
        sections.append(in_guest.section(found["guest"]))
    if "instructions" in found:
        sections.append(instructions(found["instructions"]))
    sections.append(commands(data["settings"]))
    with open(path, "w") as out:
        out.write("\n".join(sections))


def commands(settings):
    return ("## Again\n\n    make bench                       # all of it\n"
            "    make bench-quick                 # a subset in two minutes, into build/bench/quick/\n"
            "    bench/contest.py postfix         # one sender, one measurement\n"
            "    bench/run-bench --parts matrix   # one part\n\n"
            f"This run: `bench/run-bench --rounds {settings['rounds']} --count {settings['count']} "
            f"--world-count {settings['world_count']} --signed {settings['signed']} "
            f"--unsigned {settings['unsigned']}\n--peers {settings['peers']} "
            f"--parts {settings['parts']}`\n")
