/*
 * The receive cursor: the table of steps and what each step's reply means.
 */
#include "smtp/client_own.h"

#include "base/text.h"

/* 2yz, 4yz, 5yz; a 3yz where none belongs is NONE: the two sides have lost count. */
static enum smtp_verdict reply_verdict(const struct smtp_reply *reply)
{
	switch (reply->code / 100) {
	case 2:
		return SMTP_VERDICT_ACCEPTED;
	case 4:
		return SMTP_VERDICT_TEMPORARY;
	case 5:
		return SMTP_VERDICT_PERMANENT;
	default:
		return SMTP_VERDICT_NONE;
	}
}

static void client_lost_count(struct smtp_client *client, enum smtp_stage stage)
{
	smtp_client_over(client, SMTP_FAILURE_PROTOCOL, stage, true);
}

/* A refusal that ends the session before it was open. */
static void client_refused(struct smtp_client *client, const struct smtp_reply *reply,
			   enum smtp_stage stage)
{
	bool refusal = reply->code >= 400;

	smtp_client_over(client, refusal ? SMTP_FAILURE_REPLY : SMTP_FAILURE_PROTOCOL, stage,
			 true);
}

enum smtp_step smtp_receive_cursor(const struct smtp_client *client,
				   struct smtp_transaction **transaction)
{
	struct smtp_transaction *front = smtp_client_front(client);
	bool given = true;

	*transaction = NULL;
	if (client->step != SMTP_STEP_OPEN)
		return client->to_write ? SMTP_STEP_NONE : (enum smtp_step)client->step;
	if (!front)
		return SMTP_STEP_NONE;
	*transaction = front;
	if (front->receive_step == SMTP_STEP_MAIL)
		given = front->send_step > SMTP_STEP_MAIL;
	else if (front->receive_step == SMTP_STEP_RCPT)
		given = front->rcpt_answered < front->rcpt_sent;
	else if (front->receive_step == SMTP_STEP_RSET)
		given = front->send_step == SMTP_STEP_END;
	return given ? (enum smtp_step)front->receive_step : SMTP_STEP_NONE;
}

/* 421 (RFC 5321 section 3.8): the host hangs up. Never a permanent failure of anything. */
static void client_on_421(struct smtp_client *client, enum smtp_step step,
			  struct smtp_transaction *transaction)
{
	enum smtp_stage stage = SMTP_STAGE_IDLE;
	enum smtp_failure failure = SMTP_FAILURE_REPLY;

	if (client->step != SMTP_STEP_OPEN)
		stage = (enum smtp_stage)smtp_steps[client->step].stage;
	else if (transaction && transaction->send_step != SMTP_STEP_MAIL)
		stage = smtp_transaction_stage(transaction);
	if (stage == SMTP_STAGE_IDLE || stage == SMTP_STAGE_QUIT)
		failure = SMTP_FAILURE_NONE;
	/* To RSET it says nothing about the message behind, which the host may still take. */
	if (step != SMTP_STEP_NONE && step != SMTP_STEP_CLEAR && transaction) {
		client->blamed = transaction;
		client->blame_verdict = SMTP_VERDICT_TEMPORARY;
	}
	smtp_client_over(client, failure, stage, true);
}

void smtp_client_answer(struct smtp_client *client)
{
	const struct smtp_reply *reply = &client->parser.reply;
	struct smtp_transaction *transaction;
	enum smtp_step step = smtp_receive_cursor(client, &transaction);

	if (reply->code == 421) {
		client_on_421(client, step, transaction);
		return;
	}
	if (step == SMTP_STEP_NONE) {
		client_lost_count(client, transaction ? smtp_transaction_stage(transaction) :
							SMTP_STAGE_IDLE);
		return;
	}
	smtp_steps[step].on_reply(client, transaction, reply);
	smtp_client_arm(client);
}

static void on_greeting(struct smtp_client *client, struct smtp_transaction *none,
			const struct smtp_reply *reply)
{
	(void)none;
	if (smtp_reply_is(reply, 2))
		smtp_client_enter(client, NULL, SMTP_STEP_EHLO);
	else
		client_refused(client, reply, SMTP_STAGE_GREETING);
}

struct capability {
	struct slice keyword;
	u32 bit;
};

static const struct capability capabilities[] = {
	{ SLICE("PIPELINING"), SMTP_CAP_PIPELINING },
	{ SLICE("CHUNKING"), SMTP_CAP_CHUNKING },
	{ SLICE("8BITMIME"), SMTP_CAP_8BITMIME },
	{ SLICE("SMTPUTF8"), SMTP_CAP_SMTPUTF8 },
	{ SLICE("STARTTLS"), SMTP_CAP_STARTTLS },
	{ SLICE("SIZE"), SMTP_CAP_SIZE },
	{ SLICE("ENHANCEDSTATUSCODES"), SMTP_CAP_ENHANCED },
	{ SLICE("DSN"), SMTP_CAP_DSN },
};

/* One line of the reply to EHLO; the first one is the host's name (RFC 5321 section 4.1.1.1). */
void smtp_client_learn(void *context, u32 number, struct slice text)
{
	struct smtp_client *client = context;
	struct slice rest = slice_trim(text);
	struct slice keyword = slice_split(&rest, ' ');

	if (number == 0) {
		client->capabilities = 0;
		client->size_limit = 0;
		return;
	}
	for (u32 i = 0; i < array_count(capabilities); i++) {
		u32 bit = capabilities[i].bit & client->params.capability_mask;

		if (bit == 0 || !slice_equal_nocase(keyword, capabilities[i].keyword))
			continue;
		client->capabilities |= bit;
		/* RFC 1870 section 4: no number or 0 states no limit; nonsense is taken as that. */
		if (bit == SMTP_CAP_SIZE &&
		    (!rest.ptr || !slice_to_u64(slice_trim(rest), &client->size_limit)))
			client->size_limit = 0;
	}
}

static void on_ehlo(struct smtp_client *client, struct smtp_transaction *none,
		    const struct smtp_reply *reply)
{
	/* Once: EHLO goes again only when TLS is up. */
	bool tls_wanted = client->params.tls != SMTP_TLS_NEVER && !client->tls_active;
	bool tls_required = tls_wanted && client->params.tls == SMTP_TLS_REQUIRED;

	(void)none;
	if (!smtp_reply_is(reply, 2))
		client->capabilities = 0; /* whatever the refusal's lines looked like */
	else
		client->capabilities |= SMTP_CAP_ESMTP;

	if (!smtp_reply_is(reply, 2) && !smtp_reply_is(reply, 5))
		client_refused(client, reply, SMTP_STAGE_EHLO);
	else if (tls_wanted && smtp_client_has(client, smtp_steps[SMTP_STEP_STARTTLS].needs))
		smtp_client_enter(client, NULL, SMTP_STEP_STARTTLS);
	else if (tls_required)
		smtp_client_over(client, SMTP_FAILURE_REPLY, SMTP_STAGE_STARTTLS,
				 smtp_reply_is(reply, 5));
	else if (smtp_reply_is(reply, 2))
		smtp_client_enter(client, NULL, SMTP_STEP_OPEN);
	else
		smtp_client_enter(client, NULL, SMTP_STEP_HELO);
}

static void on_helo(struct smtp_client *client, struct smtp_transaction *none,
		    const struct smtp_reply *reply)
{
	(void)none;
	if (smtp_reply_is(reply, 2))
		smtp_client_enter(client, NULL, SMTP_STEP_OPEN);
	else
		client_refused(client, reply, SMTP_STAGE_HELO);
}

static void on_starttls(struct smtp_client *client, struct smtp_transaction *none,
			const struct smtp_reply *reply)
{
	(void)none;
	if (smtp_reply_is(reply, 3))
		client_lost_count(client, SMTP_STAGE_STARTTLS);
	else if (smtp_reply_is(reply, 2) && client->input.len > 0)
		/* Said in the clear behind the 220: somebody in between (CVE-2011-0411's kind). */
		smtp_client_over(client, SMTP_FAILURE_PROTOCOL, SMTP_STAGE_STARTTLS, false);
	else if (smtp_reply_is(reply, 2))
		smtp_client_enter(client, NULL, SMTP_STEP_TLS);
	else if (client->params.tls == SMTP_TLS_REQUIRED)
		client_refused(client, reply, SMTP_STAGE_STARTTLS);
	else
		smtp_client_enter(client, NULL, SMTP_STEP_OPEN);
}

static void transaction_finish(struct smtp_client *client, struct smtp_transaction *transaction)
{
	smtp_client_enter(client, transaction, SMTP_STEP_END);
}

static void transaction_reset(struct smtp_client *client, struct smtp_transaction *transaction)
{
	transaction->send_step = SMTP_STEP_RSET;
	smtp_client_enter(client, transaction, SMTP_STEP_RSET);
}

/* Transaction behind this one that is not finished; NULL: none. */
static struct smtp_transaction *transaction_next(const struct smtp_client *client,
						 const struct smtp_transaction *transaction)
{
	bool behind = false;

	for (u32 i = 0; i < client->queue_count; i++) {
		struct smtp_transaction *at = client->queue[i];

		if (behind && at->receive_step != SMTP_STEP_END)
			return at;
		behind = behind || at == transaction;
	}
	return NULL;
}

/* All replies to MAIL and RCPT that can come now are in: on to DATA or BDAT, or it is over. */
static void transaction_after_rcpt(struct smtp_client *client,
				   struct smtp_transaction *transaction)
{
	bool all_said = transaction->rcpt_sent == transaction->recipient_count;

	if (transaction->rcpt_answered < transaction->rcpt_sent)
		return;
	if (transaction->go_given)
		smtp_client_enter(client, transaction,
				  transaction->bdat ? SMTP_STEP_BDAT : SMTP_STEP_DATA);
	else if (transaction->sequence_doubt) /* abandoned, with RSET at the send cursor */
		smtp_client_enter(client, transaction, SMTP_STEP_RSET);
	else if (transaction->mail_refused)
		transaction_finish(client, transaction);
	else if (all_said && transaction->rcpt_accepted == 0)
		transaction_reset(client, transaction);
}

/* MAIL is refused: everybody has the verdict, and nothing more of the message is said. */
static void transaction_abandon(struct smtp_client *client, struct smtp_transaction *transaction,
				enum smtp_verdict verdict)
{
	smtp_client_rule(client, transaction, 0, transaction->recipient_count, verdict);
	transaction->mail_refused = true;
	if (!transaction->go_given)
		transaction->send_step =
			transaction->sequence_doubt ? SMTP_STEP_RSET : SMTP_STEP_END;
}

/* A host that knows no RSET shows by its reply to MAIL whether it needs one. */
static void on_clear(struct smtp_client *client, struct smtp_transaction *transaction,
		     const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);

	if (verdict == SMTP_VERDICT_NONE) {
		client_lost_count(client, SMTP_STAGE_MAIL);
		return;
	}
	transaction->clear_refused = verdict != SMTP_VERDICT_ACCEPTED;
	smtp_client_enter(client, transaction, SMTP_STEP_MAIL);
}

static void on_mail(struct smtp_client *client, struct smtp_transaction *transaction,
		    const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);

	if (verdict == SMTP_VERDICT_NONE) {
		client_lost_count(client, SMTP_STAGE_MAIL);
		return;
	}
	if (verdict != SMTP_VERDICT_ACCEPTED)
		client->cautious = SMTP_CAUTION;
	/*
	 * The host refused RSET and still has the transaction before this open: "nested MAIL".
	 * That is no verdict on this message. What is on the wire already is answered as if MAIL
	 * had been taken (the host may well deliver it); what is not stays here.
	 */
	transaction->sequence_doubt = transaction->clear_refused && reply->code == 503;
	if (transaction->sequence_doubt && !transaction->go_given)
		transaction_abandon(client, transaction, SMTP_VERDICT_UNSENT);
	else if (verdict != SMTP_VERDICT_ACCEPTED && !transaction->sequence_doubt)
		transaction_abandon(client, transaction, verdict);
	smtp_client_enter(client, transaction, SMTP_STEP_RCPT);
	transaction_after_rcpt(client, transaction);
}

/*
 * RFC 5321 section 4.5.3.1.10: 552 to a further recipient is an old way to say "too many", and is
 * taken as 452; not so when an enhanced code says what else is full.
 */
static bool reply_is_too_many(const struct smtp_reply *reply, u32 accepted)
{
	bool other = reply->enhanced[0] == 5 && reply->enhanced[1] != 5;

	return reply->code == 552 && accepted > 0 && !other;
}

static void on_rcpt(struct smtp_client *client, struct smtp_transaction *transaction,
		    const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);
	u32 at = transaction->rcpt_answered;

	if (verdict == SMTP_VERDICT_NONE) {
		client_lost_count(client, SMTP_STAGE_RCPT);
		return;
	}
	if (verdict == SMTP_VERDICT_ACCEPTED) {
		transaction->rcpt_accepted++;
	} else {
		if (transaction->sequence_doubt ||
		    reply_is_too_many(reply, transaction->rcpt_accepted))
			verdict = SMTP_VERDICT_TEMPORARY;
		client->cautious = SMTP_CAUTION;
		smtp_client_rule(client, transaction, at, at + 1, verdict);
	}
	transaction->rcpt_answered = smtp_recipient_from(transaction, at + 1);
	transaction_after_rcpt(client, transaction);
}

/* The reply is about all recipients that have no verdict yet. */
static void transaction_rule(struct smtp_client *client, struct smtp_transaction *transaction,
			     enum smtp_verdict verdict)
{
	if (transaction->sequence_doubt && verdict == SMTP_VERDICT_PERMANENT)
		verdict = SMTP_VERDICT_TEMPORARY;
	smtp_client_rule(client, transaction, 0, transaction->recipient_count, verdict);
}

static bool transaction_is_void(const struct smtp_transaction *transaction)
{
	return transaction->rcpt_accepted == 0 ||
	       (transaction->mail_refused && !transaction->sequence_doubt);
}

static void on_data(struct smtp_client *client, struct smtp_transaction *transaction,
		    const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);

	if (smtp_reply_is(reply, 3)) {
		/* RFC 2920 section 3.1: with nobody to take it, the message is an empty one. */
		transaction->dot_only = transaction_is_void(transaction);
		if (transaction->dot_only)
			transaction->piece_at = transaction->piece_count;
		smtp_client_enter(client, transaction, SMTP_STEP_DOT);
		return;
	}
	if (verdict == SMTP_VERDICT_ACCEPTED) {
		client_lost_count(client, SMTP_STAGE_DATA);
		return;
	}
	transaction_rule(client, transaction, verdict);
	transaction->send_step = SMTP_STEP_END;
	if (transaction->mail_refused)
		transaction_finish(client, transaction);
	else
		transaction_reset(client, transaction);
}

/*
 * A reply while content is still going out. A refusal is taken as one of the message; but the two
 * sides cannot be brought in step again, so the connection ends.
 */
static bool answered_early(struct smtp_client *client, struct smtp_transaction *transaction,
			   const struct smtp_reply *reply)
{
	if (transaction->send_step != SMTP_STEP_BODY)
		return false;
	if (reply->code < 400) {
		client_lost_count(client, SMTP_STAGE_BODY);
		return true;
	}
	client->blamed = transaction;
	client->blame_verdict = (u8)reply_verdict(reply);
	smtp_client_over(client, SMTP_FAILURE_REPLY, SMTP_STAGE_BODY, true);
	return true;
}

/* The host may have it open still: RSET, which has gone if the next MAIL has. */
static void transaction_clear(struct smtp_client *client, struct smtp_transaction *transaction)
{
	struct smtp_transaction *next = transaction_next(client, transaction);

	if (!next || next->send_step == SMTP_STEP_MAIL)
		transaction_reset(client, transaction);
	else
		transaction_finish(client, transaction);
}

static void on_dot(struct smtp_client *client, struct smtp_transaction *transaction,
		   const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);

	if (answered_early(client, transaction, reply))
		return;
	if (verdict == SMTP_VERDICT_NONE && !transaction->dot_only) {
		client_lost_count(client, SMTP_STAGE_DOT);
		return;
	}
	transaction_rule(client, transaction, verdict);
	/* An end of data ends the transaction; hosts differ when there was nobody to take it. */
	if (transaction->dot_only && verdict != SMTP_VERDICT_ACCEPTED && !transaction->mail_refused)
		transaction_clear(client, transaction);
	else
		transaction_finish(client, transaction);
}

static void on_bdat(struct smtp_client *client, struct smtp_transaction *transaction,
		    const struct smtp_reply *reply)
{
	enum smtp_verdict verdict = reply_verdict(reply);

	if (answered_early(client, transaction, reply))
		return;
	if (verdict == SMTP_VERDICT_NONE) {
		client_lost_count(client, SMTP_STAGE_DOT);
		return;
	}
	transaction_rule(client, transaction, verdict);
	/* RFC 3030 section 2: RSET behind a failed BDAT. */
	if (verdict == SMTP_VERDICT_ACCEPTED || transaction->mail_refused)
		transaction_finish(client, transaction);
	else
		transaction_clear(client, transaction);
}

static void on_rset(struct smtp_client *client, struct smtp_transaction *transaction,
		    const struct smtp_reply *reply)
{
	if (smtp_reply_is(reply, 2))
		transaction_finish(client, transaction);
	else
		client_refused(client, reply, SMTP_STAGE_RSET);
}

static void on_quit(struct smtp_client *client, struct smtp_transaction *none,
		    const struct smtp_reply *reply)
{
	(void)none;
	(void)reply;
	smtp_client_over(client, SMTP_FAILURE_NONE, SMTP_STAGE_QUIT, true);
}

#define ROW(step, verb, timeout, stage, ...)                                                       \
	[SMTP_STEP_##step] = { verb, SMTP_TIMEOUT_##timeout, SMTP_STAGE_##stage, __VA_ARGS__ }

const struct smtp_step_row smtp_steps[SMTP_STEP_COUNT] = {
	ROW(GREETING, "", GREETING, GREETING, 0, NULL, on_greeting),
	ROW(EHLO, "EHLO ", EHLO, EHLO, 0, smtp_write_hello, on_ehlo),
	ROW(HELO, "HELO ", EHLO, HELO, 0, smtp_write_hello, on_helo),
	ROW(STARTTLS, "STARTTLS", EHLO, STARTTLS, SMTP_CAP_STARTTLS, smtp_write_plain, on_starttls),
	ROW(TLS, "", TLS, TLS, 0, NULL, NULL),
	ROW(OPEN, "", NONE, IDLE, 0, NULL, NULL),
	ROW(CLEAR, "", MAIL, MAIL, 0, NULL, on_clear),
	ROW(MAIL, "MAIL FROM:", MAIL, MAIL, 0, smtp_write_mail, on_mail),
	ROW(RCPT, "RCPT TO:", RCPT, RCPT, 0, smtp_write_rcpt, on_rcpt),
	ROW(DATA, "DATA", DATA, DATA, 0, smtp_write_data, on_data),
	ROW(BDAT, "BDAT ", DOT, DOT, SMTP_CAP_CHUNKING, smtp_write_bdat, on_bdat),
	ROW(BODY, "", BLOCK, BODY, 0, NULL, NULL),
	ROW(DOT, "", DOT, DOT, 0, NULL, on_dot),
	ROW(RSET, "RSET", RSET, RSET, 0, smtp_write_rset, on_rset),
	ROW(END, "", NONE, IDLE, 0, NULL, NULL),
	ROW(QUIT, "QUIT", QUIT, QUIT, 0, smtp_write_plain, on_quit),
	ROW(OVER, "", NONE, IDLE, 0, NULL, NULL),
};
