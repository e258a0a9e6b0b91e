"""What must hold when campaigns that were killed again and again have come to rest.

Knows nothing of the queue: it compares who was to be written to, what the sender reports and what the
receiver wrote into its ledgers. Each complaint is one sentence; none means that all is well.
"""
import collections

# A result may be committed, and its journal slot not yet free, at the moment of a kill.
COMMIT_WINDOW_MS = 2000

Copy = collections.namedtuple("Copy", "time_ms session seq message_id sha256 answered")


def read_ledger(path, answered):
    """address -> [Copy]. A line that was cut short is no line."""
    copies = collections.defaultdict(list)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if len(fields) == 6 and line.endswith("\n"):
                    time_ms, session, seq, address, message_id, sha256 = fields
                    copies[address].append(Copy(int(time_ms), session, seq, message_id, sha256,
                                                answered))
    except FileNotFoundError:
        pass
    return copies


class Campaign:
    """The facts about one campaign at rest, and the complaints about them."""

    def __init__(self, recipients, counters, final, doubts, deferrals, copies, maybe=()):
        self.recipients = recipients  # addresses that were accepted into the queue
        self.counters = counters      # campaign.status
        self.final = final            # report rows: every recipient once
        self.doubts = doubts          # report rows: in-doubt events
        self.deferrals = deferrals    # report rows: deferred events
        self.copies = copies          # address -> [Copy], of both ledgers
        self.maybe = maybe            # addresses that the receiver may have taken, too
        self.complaints = []
        self.extra_copies = 0

    def complain(self, sentence):
        self.complaints.append(f"{self.counters['name']}: {sentence}")

    def judge(self):
        self._places()
        self._counters()
        self._ledger()
        self._duplicates()
        return self.complaints

    def _places(self):
        self.outcome = {}
        for row in self.final:
            address = row["address"]
            if address in self.outcome:
                self.complain(f"{address} is reported twice: {self.outcome[address]}, "
                              f"{row['outcome']}")
            self.outcome[address] = row["outcome"]
        for address in self.recipients:
            if address not in self.outcome:
                self.complain(f"LOST {address}: accepted, reported nowhere, "
                              f"{len(self.copies.get(address, []))} in the ledger")
        for address in self.outcome.keys() - set(self.recipients):
            self.complain(f"{address} is reported but was never imported")

    def _counters(self):
        count = collections.Counter(self.outcome.values())
        c = self.counters
        count["failed"] += count.pop("expired", 0)
        for name in ("delivered", "failed", "cancelled", "held", "queued"):
            if c[name] != count[name]:
                self.complain(f"counter {name} is {c[name]}, the report has {count[name]}")
        for name, events in (("doubts", self.doubts), ("deferrals", self.deferrals)):
            if c[name] != len(events):
                self.complain(f"counter {name} is {c[name]}, the log has {len(events)}")
        if c["total"] != len(self.recipients):
            self.complain(f"total is {c['total']}, {len(self.recipients)} were imported")

    def _ledger(self):
        listed = collections.Counter(row["address"] for row in self.doubts)
        for address, outcome in self.outcome.items():
            answered = sum(copy.answered for copy in self.copies.get(address, []))
            if outcome == "delivered" and not answered and address not in self.maybe:
                self.complain(f"FALSE {address}: reported delivered, the receiver never took it")
            if outcome in ("failed", "expired", "cancelled", "queued") and answered and \
                    not listed[address]:
                self.complain(f"UNLISTED {address}: reported {outcome}, the receiver took it")
        for address in self.copies.keys() - set(self.recipients):
            self.complain(f"{address} is in the ledger but was never imported")

    def _duplicates(self):
        listed = collections.Counter(row["address"] for row in self.doubts)
        for address, copies in self.copies.items():
            extra = len(copies) - 1
            self.extra_copies += extra
            if extra > listed[address]:
                self.complain(f"COPY {address}: arrived {len(copies)} times, was in doubt "
                              f"{listed[address]} times")
            for field in ("message_id", "sha256"):
                if len({getattr(copy, field) for copy in copies}) > 1:
                    self.complain(f"BYTES {address}: copies differ in {field}")


def judge_doubts(expected, doubts, events):
    """
    Each (time, address) of `expected` may have been with the receiver at a kill: it was put in doubt
    behind it, unless its result was just committed. `events`: all rows of the log.
    """
    complaints = []
    doubtful = collections.defaultdict(list)
    known = collections.defaultdict(list)
    for row in doubts:
        doubtful[row["address"]].append(row["time_ms"])
    for row in events:
        known[row["address"]].append(row["time_ms"])
    for at, address in expected:
        settled = any(at - COMMIT_WINDOW_MS <= time <= at for time in known[address])
        if not settled and not any(time >= at for time in doubtful[address]):
            complaints.append(f"DOUBT {address}: was out at the kill of {at}, yet never in doubt")
    return complaints
