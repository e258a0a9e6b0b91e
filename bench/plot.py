"""results.svg: the figures of a run as bars and curves, written as plain SVG."""
import statistics
from xml.sax.saxutils import escape

from report import OURS, by_name, counted, fastest_first, median, not_counted

WIDTH, MARGIN, GAP = 980, 30, 46
COLOURS = {"hikyaku": "#b3261e", "postfix": "#3b5b92", "exim": "#7a8fb8", "opensmtpd": "#5f7d6b",
           "haraka": "#8a6d3b", "nodemailer": "#6b5b95"}
LIMIT = "#555555"


class Svg:
    def __init__(self):
        self.items = []
        self.y = MARGIN

    def text(self, x, y, text, size=13, anchor="start", colour="#222", weight="normal"):
        self.items.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
                          f'fill="{colour}" font-weight="{weight}">{escape(str(text))}</text>')

    def bar(self, x, y, width, height, colour):
        self.items.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
                          f'height="{height:.1f}" fill="{colour}"/>')

    def line(self, points, colour, width=2.0, dash=""):
        at = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.items.append(f'<polyline points="{at}" fill="none" stroke="{colour}" '
                          f'stroke-width="{width}"{more}/>')

    def title(self, text, under):
        self.text(MARGIN, self.y + 16, text, 17, weight="bold")
        self.text(MARGIN, self.y + 35, under, 12.5, colour="#555")
        self.y += 50

    def write(self, path):
        height = self.y + 4
        with open(path, "w") as out:
            out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
                      f'width="{WIDTH}" height="{height:.0f}" '
                      'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">\n'
                      f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>\n')
            out.write("\n".join(self.items) + "\n</svg>\n")


def bars(svg, rows, x, width, label_width, unit):
    """
    rows: (label, values, colour, note); the bar is the median, the thin line from least to most. Without
    values the note stands alone.
    """
    most = max((max(values) for _, values, _, _ in rows if values), default=0) or 1
    room = width - label_width - 150
    y = svg.y
    for label, values, colour, note in rows:
        svg.text(x + label_width - 8, y + 15, label, 13, "end")
        if not values:
            svg.text(x + label_width + 7, y + 15, note, 12.5)
            y += 26
            continue
        middle = statistics.median(values)
        svg.bar(x + label_width, y + 2, room * middle / most, 18, colour)
        if len(values) > 1 and (max(values) - min(values)) / most > 0.004:
            svg.line([(x + label_width + room * min(values) / most, y + 11),
                      (x + label_width + room * max(values) / most, y + 11)], "#111", 1.5)
        end = x + label_width + room * max(values) / most
        svg.text(end + 7, y + 15, f"{middle:,.0f}{unit}{note}", 12.5)
        y += 26
    return y


def draw_peers(svg, rounds):
    svg.title("The same signed 8 KB newsletter, to the same sink",
              "messages a second from hand-over to last acceptance; median, thin line: least to most")
    found = fastest_first(by_name(rounds))

    def rows(key):
        mine = median(dict(found)[OURS], key)
        made = []
        for name, runs in found:
            values = [run[key] for run in counted(runs)]
            note = not_counted(runs) if not values else "" if name == OURS or not mine else \
                f"   (ours: {mine / statistics.median(values):,.0f} x)"
            made.append((runs[0]["title"], values, COLOURS.get(name, "#888"), note))
        return made

    svg.y = bars(svg, rows("rate"), MARGIN, WIDTH - 2 * MARGIN, 215, "/s") + 16
    svg.text(MARGIN, svg.y + 12, "messages per CPU second of the sender, all its processes", 12.5,
             colour="#555")
    svg.y += 22
    svg.y = bars(svg, rows("per_cpu_second"), MARGIN, WIDTH - 2 * MARGIN, 215, "") + GAP


def axis(svg, x, y, width, height, most, step):
    for share in (0, 25, 50, 75, 100):
        at = y + height - height * share / 100
        svg.line([(x, at), (x + width, at)], "#dddddd", 1)
        svg.text(x - 7, at + 4, f"{share} %", 12, "end", "#555")
    value = 0
    while value <= most:
        at = x + width * value / most
        svg.line([(at, y + height), (at, y + height + 5)], "#888", 1)
        svg.text(at, y + height + 19, f"{value:g} s", 12, "middle", "#555")
        value += step


def draw_world(svg, rounds):
    svg.title("Among receivers with limits: who has had its mail when",
              "share of the deliverable mail that has arrived, by seconds since hand-over (best run of each)")
    best = {}
    for name, runs in by_name(rounds).items():
        best[name] = max(runs, key=lambda run: len(run["curve"]) * 1e6 - (run["curve"] or [0])[-1])
    # A curve that goes on for long must not squeeze the others.
    ends = sorted(run["curve"][-1] for run in best.values() if run["curve"])
    most = max(10, min(ends[-1], 3 * ends[len(ends) // 2])) if ends else 10
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200) if most / s <= 10)
    x, y, width, height = MARGIN + 45, svg.y + 4, 600, 240
    axis(svg, x, y, width, height, most, step)
    legend = y + 12
    for name, run in sorted(best.items(), key=lambda item: (item[1]["curve"] or [1e9])[-1]):
        points = [(x, y + height)]
        for i, second in enumerate(run["curve"], 1):
            if second <= most:
                points.append((x + width * second / most, y + height - height * i / 50))
        svg.line(points, COLOURS.get(name, "#888"), 3 if name == OURS else 2)
        svg.bar(x + width + 24, legend - 9, 16, 8, COLOURS.get(name, "#888"))
        svg.text(x + width + 46, legend, run["title"], 13)
        done = f"all after {run['curve'][-1]:.1f} s" if run["complete"] else \
            f"{run['arrived'] / run['expected']:.0%} in time" if run["arrived"] else "delivered nothing"
        told = 1000 * (run["turned_away"] + run["throttled"]) / run["count"]
        svg.text(x + width + 46, legend + 15, f"{done}; slowed down {told:,.0f} / 1,000", 11.5,
                 colour="#555")
        legend += 40
    svg.y = max(y + height + 34, legend) + GAP - 20


def draw_matrix(svg, cells, limits):
    svg.title("Ours by size, signature and transport (two workers, durable)",
              "messages a second from the start of an imported campaign; text differs for every recipient")
    chosen = [c for c in cells if c["durability"] == "full" and c["workers"] == 2]
    for sign, title in ((True, "signed (RSA-2048)"), (False, "unsigned")):
        rows = []
        if sign and limits:
            rows.append(("OpenSSL's sign rate, two cores", [one["sign_2"] for one in limits], LIMIT, ""))
        for size in sorted({c["size"] for c in chosen}):
            for cell in chosen:
                if cell["size"] == size and cell["sign"] == sign:
                    way = "STARTTLS" if cell["starttls"] else "plain"
                    values = [r["sending_rate"] for r in counted(cell["runs"])]
                    rows.append((f"{size // 1024} KB, {way}", values,
                                 COLOURS[OURS] if way == "plain" else "#d98880",
                                 "" if values else not_counted(cell["runs"])))
            if not sign and limits and str(size) in limits[0]["bare"]:
                rows.append((f"{size // 1024} KB, bare client",
                             [one["bare"][str(size)]["messages_per_second"] for one in limits],
                             LIMIT, ""))
        if not rows:
            continue
        svg.text(MARGIN, svg.y + 12, title, 13, weight="bold")
        svg.y += 20
        svg.y = bars(svg, rows, MARGIN, WIDTH - 2 * MARGIN, 215, "/s") + 14
    svg.y += 10


def write(data, path):
    svg = Svg()
    found = data["parts"]
    if "peers" in found:
        draw_peers(svg, found["peers"])
    if "world" in found:
        draw_world(svg, found["world"])
    if "matrix" in found:
        draw_matrix(svg, found["matrix"], found.get("limits", []))
    m = data["machine"]
    svg.text(MARGIN, svg.y, f"{data['started']}, commit {data['commit']}, {m['cores']} x {m['cpu']}; sender "
             "and sink share the machine", 12, colour="#555")
    svg.y += 14
    svg.write(path)
