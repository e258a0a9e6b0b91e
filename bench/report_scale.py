"""The part of RESULTS.md about how far it goes: long queues, many sessions, restarts."""
import statistics

from report_text import spread, table


def growth_rows(growth):
    rows = []
    for sign in (True, False):
        runs = [one for one in growth if one["sign"] == sign and one["run"]["good"]]
        word = "signed" if sign else "unsigned"
        counts = sorted({one["count"] for one in runs})
        rates = {}
        for count in counts:
            mine = [one["run"] for one in runs if one["count"] == count]
            rates[count] = statistics.median(run["sending_rate"] for run in mine)
            rows.append([f"{word}, campaign of {count:,}: messages/s; import s; resident MiB",
                         f"{spread([run['sending_rate'] for run in mine])}; "
                         f"{mine[0]['import_seconds']:.2f}; {mine[0]['resident_mib']:.0f}"])
        if len(counts) > 1:
            rows.append([f"**{word}: {counts[-1]:,} to {counts[0]:,}**",
                         f"**{rates[counts[-1]] / rates[counts[0]]:.2f}**"])
    return rows


def session_rows(found):
    return [[f"sessions open at once (sink answers after 50-500 ms; {found['wanted']:,} wanted)",
             f"{found['open']:,} (sink saw {found['seen']:,})"],
            ["resident memory before / at the most, MiB",
             f"{found['before_mib']:.1f} / {found['most_mib']:.1f}"],
            ["**KiB a session, everything included**", f"**{found['kib_each']:.2f}**"],
            [f"the same with STARTTLS: open at once ({found['tls']['tls_sessions']:,} handshakes); **KiB a "
             "session, OpenSSL's part included**",
             f"{found['tls']['open']:,}; **{found['tls']['kib_each']:.2f}**"]]


def crowd_rows(found):
    full = "never" if found["full_seconds"] is None else f"after {found['full_seconds']:.1f} s"
    return [[f"sessions open at once at {found['sites']} receivers that answer after 2-4 s "
             f"({found['wanted']:,} wanted)",
             f"{found['open']:,} (sink saw {found['seen']:,}), all of them {full}"],
            ["resident memory before / at the most, MiB",
             f"{found['before_mib']:.1f} / {found['most_mib']:.1f}"],
            ["**KiB a session, everything included**", f"**{found['kib_each']:.2f}**"],
            ["messages; violations; malformed",
             f"{found['messages']:,}; {found['violations']}; {found['malformed']}"],
            ["fairness among the receivers at half time (Jain's index, 1 is best; the list is sorted by "
             "receiver)", f"**{found['jain']:.4f}**"],
            [f"a campaign of {found['bystander']} to a quick receiver meanwhile, ms until all are there",
             f"{1000 * found['bystander_seconds']:,.0f}"]]


def backlog_rows(found):
    rows, rates, own = [], {}, {}
    for count in sorted({run["count"] for run in found["runs"]}):
        mine = [run for run in found["runs"] if run["count"] == count]
        rates[count] = statistics.median(run["rate"] for run in mine)
        own[count] = max(run["own_mib"] for run in mine)
        rows.append([f"unsigned, campaign of {count:,}: messages/s; import s; start answered in ms; MiB "
                     "of the sender's own",
                     f"{spread([run['rate'] for run in mine])}; {mine[0]['import_seconds']:.2f}; "
                     f"{1000 * mine[0]['start_seconds']:.0f}; {own[count]:.0f}"])
    small, large = min(rates), max(rates)
    again = found["restart"]
    return rows + [
        [f"**{large:,} to {small:,}: messages/s**", f"**{rates[large] / rates[small]:.2f}**"],
        [f"started after kill -9 with {again['count']:,} deferred records: answers after ms",
         f"**{1000 * again['answers_seconds']:,.0f}**"],
        [f"... and {again['bystander']} other mails are there after another ms",
         f"{1000 * again['bystander_seconds']:,.0f}"],
        ["... MiB of the sender's own", f"{again['own_mib']:.0f}"]]


def commits(found):
    rows = []
    for interval in sorted({one["interval_ms"] for one in found["runs"]}):
        runs = [one["run"] for one in found["runs"] if one["interval_ms"] == interval and
                one["run"]["good"]]
        rows.append([interval, spread([run["sending_rate"] for run in runs]),
                     spread([run["per_cpu_second"] for run in runs])])
    median, slow = found["sync_ms"]
    return ("## How long results wait for others\n\nUnsigned 8 KB, the same for all; the disk takes "
            f"{median:.2f} ms for the sync of a page, {slow:.2f} ms in the slowest tenth.\n`commit-interval` "
            "is the most that a result waits; the sync itself gathers more.\n\n" +
            table(["commit-interval, ms", "messages/s", "messages per CPU s"], rows))


def section(parts):
    rows = growth_rows(parts.get("growth", []))
    for name, rows_of in (("sessions", session_rows), ("crowd", crowd_rows), ("backlog", backlog_rows)):
        if name in parts:
            rows += rows_of(parts[name])
    if not rows:
        return None
    return ("## Long queues, many sessions\n\nText that is the same for all, so that the queue is what is "
            "measured.\n\n" + table(["what", "figure"], rows))
