#include "receive/meter.h"

#include "metrics/metrics.h"
#include "metrics/lines.h"

static const char *const refusals[METER_REFUSALS] = {
	[METER_NO_PLACE] = "connections",
	[METER_NO_ROOM] = "room",
	[METER_NO_RECIPIENT] = "recipient",
	[METER_DISK] = "disk",
};

static const char *const sign_ins[METER_SIGN_INS] = {
	[METER_SIGNED_IN] = "good",
	[METER_WRONG] = "wrong",
	[METER_LATER] = "later",
};

static void add_one(struct buf *out, bool openmetrics, const char *name, enum metric_type type,
		    const char *help, const u64 *value)
{
	lines_family(out, openmetrics, name, type, help);
	lines_sample(out, name, type, metric_get(value));
}

static void add_ring(struct buf *out, bool openmetrics, const struct meter *m)
{
	add_one(out, openmetrics, "hikyaku_receive_connections", COUNTER,
		"Connections of clients.", &m->connections);
	add_one(out, openmetrics, "hikyaku_receive_connections_open", GAUGE,
		"Connections now.", &m->open);
	lines_family(out, openmetrics, "hikyaku_receive_refused", COUNTER,
		    "What was refused: connections beyond the limits, messages without room or by "
		    "the disk's fault, recipients that are not ours.");
	for (u32 i = 0; i < METER_REFUSALS; i++)
		lines_labelled(out, "hikyaku_receive_refused", COUNTER, "reason", refusals[i],
			      metric_get(&m->refused[i]));
	add_one(out, openmetrics, "hikyaku_receive_messages", COUNTER,
		"Messages taken: durable, then acknowledged.", &m->messages);
	add_one(out, openmetrics, "hikyaku_receive_bytes", COUNTER, "Bytes of them.",
		&m->bytes);
}

static void add_reader(struct buf *out, bool openmetrics, const struct meter *m)
{
	lines_family(out, openmetrics, "hikyaku_receive_read", COUNTER,
		    "Messages read and done with, by what they say they are.");
	for (u32 i = 0; i <= REPORT_COMPLAINT; i++)
		lines_labelled(out, "hikyaku_receive_read", COUNTER, "kind",
			      report_kind_name((enum report_kind)i), metric_get(&m->kinds[i]));
	add_one(out, openmetrics, "hikyaku_receive_forwarded", COUNTER,
		"Messages handed on to a person.", &m->forwarded);
	lines_family(out, openmetrics, "hikyaku_receive_not_forwarded", COUNTER,
		    "Messages about no mail of ours that nobody saw, by why.");
	for (u32 i = FORWARD_NOT_WANTED; i <= FORWARD_TOO_MANY; i++)
		lines_labelled(out, "hikyaku_receive_not_forwarded", COUNTER, "reason",
			      forward_verdict_name((enum forward_verdict)i),
			      metric_get(&m->not_forwarded[i]));
	add_one(out, openmetrics, "hikyaku_receive_bad", COUNTER,
		"Files that were put aside.", &m->bad);
	add_one(out, openmetrics, "hikyaku_receive_spool_files", GAUGE,
		"Messages in the spool that wait to be read.", &m->spool_files);
	add_one(out, openmetrics, "hikyaku_receive_spool_bytes", GAUGE, "Bytes of them.",
		&m->spool_bytes);
	lines_family(out, openmetrics, "hikyaku_receive_spool_oldest_seconds", GAUGE,
		    "Age of the oldest of them.");
	buf_add_text(out, "hikyaku_receive_spool_oldest_seconds ");
	lines_fraction(out, metric_get(&m->spool_oldest_ms), 3);
	buf_add_char(out, '\n');
	add_one(out, openmetrics, "hikyaku_receive_waits", GAUGE,
		"1: messages wait since the sender is away, or has no room.", &m->waits);
}

static void add_submission(struct buf *out, bool openmetrics, const struct meter *m)
{
	lines_family(out, openmetrics, "hikyaku_submission_sign_ins", COUNTER,
		    "Sign-ins: good, wrong, and those that were told to come later.");
	for (u32 i = 0; i < METER_SIGN_INS; i++)
		lines_labelled(out, "hikyaku_submission_sign_ins", COUNTER, "result", sign_ins[i],
			      metric_get(&m->sign_ins[i]));
	add_one(out, openmetrics, "hikyaku_submission_messages", COUNTER,
		"Messages that users handed in.", &m->submitted);
	add_one(out, openmetrics, "hikyaku_submission_refused", COUNTER,
		"Messages refused for what is in them.", &m->submitted_refused);
	add_one(out, openmetrics, "hikyaku_submission_handed_over", COUNTER,
		"Messages that the sender has taken.", &m->handed_over);
	add_one(out, openmetrics, "hikyaku_submission_bad", COUNTER,
		"Messages that the sender refuses for good: they are kept.", &m->handover_bad);
	add_one(out, openmetrics, "hikyaku_submission_waits", GAUGE,
		"1: messages wait since the sender is away, or has no room.", &m->handover_waits);
}

void meter_expose(const void *meter, bool openmetrics, struct buf *out)
{
	add_ring(out, openmetrics, meter);
	add_reader(out, openmetrics, meter);
	add_submission(out, openmetrics, meter);
	if (openmetrics)
		buf_add_text(out, "# EOF\n");
}
