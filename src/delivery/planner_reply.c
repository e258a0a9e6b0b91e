/*
 * What receivers' refusals are about: judged once when a lease comes back, counted when its result
 * is committed. Those in words that no pattern knows are kept in a tally for the operator.
 */
#include "delivery/planner_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- the operator's patterns ---- */

bool planner_replies_open(struct planner *planner, struct error *error)
{
	const struct config *config = planner->config;
	struct smtp_class_row *rows;

	if (config->reply_count == 0)
		return true;
	rows = calloc(config->reply_count, sizeof(*rows));
	if (!rows)
		return error_set(error, "out of memory for patterns of replies");
	for (size_t i = 0; i < config->reply_count; i++) {
		const struct config_reply *reply = &config->replies[i];

		rows[i] = (struct smtp_class_row){
			.class = (u8)reply->class,
			.code = reply->code,
			.text = reply->text.items,
			.text_count = (u32)reply->text.count,
			.mx = reply->mx.items,
			.mx_count = (u32)reply->mx.count,
		};
		memcpy(rows[i].enhanced, reply->enhanced, sizeof(rows[i].enhanced));
	}
	planner->reply_rows = (struct smtp_class_table){ rows, config->reply_count };
	return true;
}

void planner_replies_close(struct planner *planner)
{
	free((void *)planner->reply_rows.rows);
}

/* ---- one reply ---- */

const char *planner_lease_host(const struct lease *lease)
{
	const struct path *path = lease->path; /* NULL after a restart */

	for (u32 i = 0; path && lease->host.family && i < path->target_count; i++) {
		if (net_address_equal(&path->targets[i].address, &lease->host))
			return path_text(path, path->hosts[path->targets[i].host]);
	}
	return "";
}

static bool is_refusal(const struct lease *lease)
{
	return lease->verdict == SMTP_VERDICT_TEMPORARY ||
	       lease->verdict == SMTP_VERDICT_PERMANENT || lease->verdict == SMTP_VERDICT_LOCAL;
}

void planner_reply_judge(const struct planner *planner, struct lease *lease)
{
	struct smtp_refusal refusal = {
		.code = lease->code,
		.stage = lease->stage,
		.text = { lease->reply, lease->reply_len },
	};
	struct smtp_judgement judgement = { SMTP_CLASS_NONE, false };

	memcpy(refusal.enhanced, lease->enhanced, sizeof(refusal.enhanced));
	if (is_refusal(lease) && lease->code >= 400) {
		refusal.mx = slice_of(planner_lease_host(lease));
		judgement = smtp_classify(&refusal, &planner->reply_rows);
	} else if (is_refusal(lease)) {
		/* Nobody answered, or with what is no refusal: 3yz where none belongs. */
		judgement.class = lease->code ? SMTP_CLASS_PROTOCOL : SMTP_CLASS_TRANSIENT_HOST;
	}
	lease->reply_class = (u8)judgement.class;
	/* Words of our own are known. */
	lease->reply_guessed = judgement.guessed && lease->verdict != SMTP_VERDICT_LOCAL;
}

void planner_reply_count(struct planner *planner, const struct lease *lease)
{
	struct reply_sample sample = {
		.code = lease->code,
		.class = lease->reply_class,
		.wall_ms = planner->time.wall_ms,
		.text = { lease->reply, lease->reply_len },
	};

	if (lease->reply_class == SMTP_CLASS_NONE || lease->code < 400 ||
	    lease->verdict == SMTP_VERDICT_LOCAL)
		return;
	metric_add(&planner->m->replies[lease->reply_class], 1);
	if (!lease->reply_guessed)
		return;
	memcpy(sample.enhanced, lease->enhanced, sizeof(sample.enhanced));
	sample.host = slice_of(planner_lease_host(lease));
	reply_tally_note(&planner->unknown_replies, &sample);
}

u8 planner_class_of_domain(u16 code, const u16 enhanced[3])
{
	if (code == 0)
		return SMTP_CLASS_NONE;
	return enhanced[1] == 1 ? SMTP_CLASS_BAD_MAILBOX : SMTP_CLASS_DNS;
}

/* ---- for operators ---- */

const struct reply_tally *planner_unknown_replies(const struct planner *planner)
{
	return &planner->unknown_replies;
}
