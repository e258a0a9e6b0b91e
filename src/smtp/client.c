#include "smtp/client.h"

#include "base/check.h"
#include "base/clock.h"
#include "smtp/client_own.h"
#include "smtp/command.h"

#include <string.h>

_Static_assert(sizeof(struct smtp_client) <= 2048, "a session's memory is counted");

enum { ANNOUNCE_READY = 1 << 0, ANNOUNCE_TLS = 1 << 1 };

/* Why a recipient or a whole transaction is not put to the host at all. */
enum local_reason { LOCAL_NONE, LOCAL_RECIPIENT, LOCAL_SENDER, LOCAL_SIZE, LOCAL_UTF8, LOCAL_8BIT };

#define MADE_UP(c, a, b, d, words)                                                                 \
	{ .code = (c), .enhanced = { (a), (b), (d) }, .text_len = sizeof(words) - 1, .text = words }

static const struct smtp_reply local_replies[] = {
	[LOCAL_RECIPIENT] = MADE_UP(553, 5, 1, 3, "5.1.3 recipient address cannot be sent"),
	[LOCAL_SENDER] = MADE_UP(553, 5, 1, 7, "5.1.7 sender address cannot be sent"),
	[LOCAL_SIZE] = MADE_UP(552, 5, 3, 4, "5.3.4 message is larger than the host takes"),
	[LOCAL_UTF8] = MADE_UP(550, 5, 6, 7, "5.6.7 host does not offer SMTPUTF8"),
	[LOCAL_8BIT] = MADE_UP(554, 5, 6, 3, "5.6.3 host does not offer 8BITMIME"),
};

#define S(seconds) ((seconds) * 1000)
const struct smtp_timeouts smtp_timeouts_usual = {
	.ms = {
		[SMTP_TIMEOUT_GREETING] = S(300), [SMTP_TIMEOUT_EHLO] = S(300),
		[SMTP_TIMEOUT_TLS] = S(120),	  [SMTP_TIMEOUT_MAIL] = S(300),
		[SMTP_TIMEOUT_RCPT] = S(300),	  [SMTP_TIMEOUT_DATA] = S(120),
		[SMTP_TIMEOUT_BLOCK] = S(180),	  [SMTP_TIMEOUT_DOT] = S(600),
		[SMTP_TIMEOUT_RSET] = S(30),	  [SMTP_TIMEOUT_QUIT] = S(10),
		[SMTP_TIMEOUT_MESSAGE] = S(3600),
	},
};
#undef S

const char *smtp_stage_name(enum smtp_stage stage)
{
	static const char *const names[] = {
		[SMTP_STAGE_GREETING] = "greeting", [SMTP_STAGE_EHLO] = "ehlo",
		[SMTP_STAGE_HELO] = "helo",	    [SMTP_STAGE_STARTTLS] = "starttls",
		[SMTP_STAGE_TLS] = "tls",	    [SMTP_STAGE_MAIL] = "mail",
		[SMTP_STAGE_RCPT] = "rcpt",	    [SMTP_STAGE_DATA] = "data",
		[SMTP_STAGE_BODY] = "body",	    [SMTP_STAGE_DOT] = "dot",
		[SMTP_STAGE_RSET] = "rset",	    [SMTP_STAGE_IDLE] = "idle",
		[SMTP_STAGE_QUIT] = "quit",
	};

	ASSERT((size_t)stage < array_count(names));
	return names[stage];
}

void smtp_client_init(struct smtp_client *client, const struct smtp_client_params *params)
{
	ASSERT(params->depth >= 1 && params->depth <= SMTP_DEPTH_MAX);
	ASSERT(params->ehlo_name.len > 0);
	ASSERT(smtp_path_check(params->ehlo_name) != SMTP_PATH_BAD);

	/* `out` and the parser's text are guarded by their lengths. */
	memset(client, 0, offsetof(struct smtp_client, parser));
	smtp_reply_parser_init(&client->parser);
	client->params = *params;
	if (!params->timeouts)
		client->params.timeouts = &smtp_timeouts_usual;
	client->step = SMTP_STEP_NONE;
	client->deadline_ns = UINT64_MAX;
}

bool smtp_client_has(const struct smtp_client *client, u32 capability)
{
	return (client->capabilities & capability) == capability;
}

struct smtp_transaction *smtp_client_front(const struct smtp_client *client)
{
	for (u32 i = 0; i < client->queue_count; i++) {
		if (client->queue[i]->receive_step != SMTP_STEP_END)
			return client->queue[i];
	}
	return NULL;
}

enum smtp_stage smtp_transaction_stage(const struct smtp_transaction *transaction)
{
	bool content_due = transaction->receive_step == SMTP_STEP_BDAT ||
			   transaction->receive_step == SMTP_STEP_DOT;

	if (content_due && transaction->send_step == SMTP_STEP_BODY)
		return SMTP_STAGE_BODY;
	return (enum smtp_stage)smtp_steps[transaction->receive_step].stage;
}

/* Step that the timeout is about; SMTP_STEP_OPEN: none is running. */
static enum smtp_step client_timed_step(const struct smtp_client *client)
{
	const struct smtp_transaction *front = smtp_client_front(client);

	if (client->step != SMTP_STEP_OPEN)
		return (enum smtp_step)client->step;
	/* An answered transaction may wait until the rest of its content is gone. */
	if (!front)
		return client->queue_count > 0 ? SMTP_STEP_BODY : SMTP_STEP_OPEN;
	if (smtp_transaction_stage(front) == SMTP_STAGE_BODY)
		return SMTP_STEP_BODY;
	return (enum smtp_step)front->receive_step;
}

static u64 client_timeout_ns(const struct smtp_client *client, enum smtp_timeout which)
{
	return client->params.timeouts->ms[which] * NS_PER_MS;
}

/* When the oldest message will have taken too long, whatever it does; UINT64_MAX: there is none. */
static u64 client_message_ends(struct smtp_client *client)
{
	struct smtp_transaction *front = smtp_client_front(client);

	if (client->step != SMTP_STEP_OPEN || client->queue_count == 0)
		return UINT64_MAX;
	if (!front)
		front = client->queue[0]; /* answered; the rest of its content is still going out */
	if (front->ends_ns == 0)
		front->ends_ns = client->now_ns + client_timeout_ns(client, SMTP_TIMEOUT_MESSAGE);
	return front->ends_ns;
}

void smtp_client_arm(struct smtp_client *client)
{
	u8 which = smtp_steps[client_timed_step(client)].timeout;

	client->deadline_ns = UINT64_MAX;
	if (which != SMTP_TIMEOUT_NONE)
		client->deadline_ns = client->now_ns + client_timeout_ns(client, which);
	client->deadline_ns = min_u64(client->deadline_ns, client_message_ends(client));
}

void smtp_client_enter(struct smtp_client *client, struct smtp_transaction *transaction,
		       enum smtp_step step)
{
	if (transaction) {
		transaction->receive_step = (u8)step;
		return; /* smtp_client_answer arms the timeout once for the whole reply */
	}
	if (step == SMTP_STEP_OPEN && client->quitting && client->queue_count == 0)
		step = SMTP_STEP_QUIT;
	else if (step == SMTP_STEP_OPEN)
		client->announce |= ANNOUNCE_READY;
	else if (step == SMTP_STEP_TLS)
		client->announce |= ANNOUNCE_TLS;
	client->step = (u8)step;
	client->to_write = smtp_steps[step].write != NULL;
	smtp_client_arm(client);
}

void smtp_client_over(struct smtp_client *client, enum smtp_failure failure,
		      enum smtp_stage stage, bool by_reply)
{
	client->failure = (u8)failure;
	client->failure_stage = (u8)stage;
	client->failure_by_reply = by_reply;
	client->input = SLICE_NONE;
	smtp_client_enter(client, NULL, SMTP_STEP_OVER);
}

void smtp_client_start(struct smtp_client *client, u64 now_ns)
{
	ASSERT(client->step == SMTP_STEP_NONE);
	client->now_ns = now_ns;
	smtp_client_enter(client, NULL, SMTP_STEP_GREETING);
}

void smtp_client_receive(struct smtp_client *client, struct slice input, u64 now_ns)
{
	ASSERT(client->input.len == 0);
	ASSERT(client->step != SMTP_STEP_NONE);
	client->now_ns = now_ns;
	if (client->step == SMTP_STEP_OVER)
		return;
	if (client->step == SMTP_STEP_TLS && input.len > 0)
		smtp_client_over(client, SMTP_FAILURE_PROTOCOL, SMTP_STAGE_TLS, false);
	else
		client->input = input;
}

/* Where the dialogue stands when it breaks off without a reply. */
static enum smtp_stage client_stage(const struct smtp_client *client)
{
	const struct smtp_transaction *front = smtp_client_front(client);

	if (client->step != SMTP_STEP_OPEN)
		return (enum smtp_stage)smtp_steps[client->step].stage;
	if (!front || front->send_step == SMTP_STEP_MAIL)
		return SMTP_STAGE_IDLE;
	return smtp_transaction_stage(front);
}

void smtp_client_closed(struct smtp_client *client, u64 now_ns)
{
	enum smtp_stage stage = client_stage(client);
	bool harmless = stage == SMTP_STAGE_IDLE || stage == SMTP_STAGE_QUIT;

	ASSERT(client->input.len == 0);
	client->now_ns = now_ns;
	if (client->step != SMTP_STEP_OVER)
		smtp_client_over(client, harmless ? SMTP_FAILURE_NONE : SMTP_FAILURE_CLOSED, stage,
				 false);
}

u64 smtp_client_deadline(const struct smtp_client *client)
{
	return client->deadline_ns;
}

void smtp_client_tick(struct smtp_client *client, u64 now_ns)
{
	enum smtp_stage stage = client_stage(client);

	ASSERT(client->input.len == 0);
	client->now_ns = now_ns;
	if (now_ns < client->deadline_ns)
		return;
	smtp_client_over(client,
			 stage == SMTP_STAGE_QUIT ? SMTP_FAILURE_NONE : SMTP_FAILURE_TIMEOUT, stage,
			 false);
}

void smtp_client_tls_started(struct smtp_client *client, u64 now_ns)
{
	client->now_ns = now_ns;
	if (client->step == SMTP_STEP_OVER)
		return;
	ASSERT(client->step == SMTP_STEP_TLS && client->announce == 0);
	client->tls_active = true;
	/* RFC 3207 section 4.2: what was said in the clear is forgotten. */
	client->capabilities = 0;
	client->size_limit = 0;
	smtp_reply_parser_init(&client->parser);
	smtp_client_enter(client, NULL, SMTP_STEP_EHLO);
}

void smtp_client_tls_failed(struct smtp_client *client, u64 now_ns)
{
	client->now_ns = now_ns;
	if (client->step == SMTP_STEP_OVER)
		return;
	ASSERT(client->step == SMTP_STEP_TLS);
	smtp_client_over(client, SMTP_FAILURE_TLS, SMTP_STAGE_TLS, false);
}

bool smtp_client_may_give(const struct smtp_client *client)
{
	u32 depth = smtp_client_has(client, SMTP_CAP_PIPELINING) ? client->params.depth : 1;

	return client->step == SMTP_STEP_OPEN && !client->quitting && client->queue_count < depth;
}

bool smtp_client_is_idle(const struct smtp_client *client)
{
	return client->step == SMTP_STEP_OPEN && client->queue_count == 0;
}

void smtp_client_quit(struct smtp_client *client, u64 now_ns)
{
	client->now_ns = now_ns;
	client->quitting = true;
	if (smtp_client_is_idle(client))
		smtp_client_enter(client, NULL, SMTP_STEP_QUIT);
}

u32 smtp_recipient_from(const struct smtp_transaction *transaction, u32 at)
{
	while (at < transaction->recipient_count &&
	       transaction->recipients[at].verdict == SMTP_VERDICT_LOCAL)
		at++;
	return at;
}

static enum local_reason recipient_reason(const struct smtp_client *client, struct slice address,
					  enum smtp_path path)
{
	if (path == SMTP_PATH_BAD || address.len == 0)
		return LOCAL_RECIPIENT;
	if (path == SMTP_PATH_UTF8 && !smtp_client_has(client, SMTP_CAP_SMTPUTF8))
		return LOCAL_UTF8;
	return LOCAL_NONE;
}

/* What keeps the whole transaction from this host; LOCAL_NONE: nothing. */
static enum local_reason transaction_reason(const struct smtp_client *client,
					    const struct smtp_transaction *transaction,
					    enum smtp_path sender, bool utf8)
{
	if (sender == SMTP_PATH_BAD)
		return LOCAL_SENDER;
	if (client->size_limit > 0 && transaction->size > client->size_limit)
		return LOCAL_SIZE;
	if (utf8 && !smtp_client_has(client, SMTP_CAP_SMTPUTF8))
		return LOCAL_UTF8;
	if (transaction->eightbit && !smtp_client_has(client, SMTP_CAP_8BITMIME))
		return LOCAL_8BIT;
	return LOCAL_NONE;
}

/* The length goes on the wire in front of BDAT content: a wrong one would shift the dialogue. */
static void transaction_check(const struct smtp_transaction *transaction)
{
	u64 size = 0;
	char end[2] = { 0, 0 };

	for (u32 i = 0; i < transaction->piece_count; i++) {
		const struct piece *piece = &transaction->pieces[i];

		if (piece->stuffing || piece->len == 0)
			continue;
		end[0] = piece->len > 1 ? piece->ptr[piece->len - 2] : end[1];
		end[1] = piece->ptr[piece->len - 1];
		size += piece->len;
	}
	ASSERT(size == transaction->size);
	ASSERT(end[0] == '\r' && end[1] == '\n');
	ASSERT(transaction->recipient_count >= 1);
	ASSERT(transaction->recipient_count <= SMTP_RECIPIENTS_MAX);
}

void smtp_client_give(struct smtp_client *client, struct smtp_transaction *transaction, u64 now_ns)
{
	enum smtp_path sender = smtp_path_check(transaction->sender);
	bool utf8 = transaction->utf8_headers || sender == SMTP_PATH_UTF8;
	enum local_reason reason = transaction_reason(client, transaction, sender, utf8);
	struct smtp_transaction *front = smtp_client_front(client);
	u32 local = 0;

	ASSERT(smtp_client_may_give(client));
	transaction_check(transaction);
	for (u32 i = 0; i < transaction->recipient_count; i++) {
		struct smtp_recipient *recipient = &transaction->recipients[i];
		enum smtp_path path = smtp_path_check(recipient->address);
		bool refused = reason || recipient_reason(client, recipient->address, path);

		recipient->verdict = refused ? SMTP_VERDICT_LOCAL : SMTP_VERDICT_NONE;
		local += refused;
		utf8 = utf8 || (path == SMTP_PATH_UTF8 && !refused);
	}
	memset((char *)transaction + offsetof(struct smtp_transaction, ended), 0,
	       sizeof(*transaction) - offsetof(struct smtp_transaction, ended));
	transaction->needs_utf8 = utf8;
	transaction->local_reason = (u8)reason;
	transaction->local_untold = local > 0;
	transaction->rcpt_sent = smtp_recipient_from(transaction, 0);
	transaction->rcpt_answered = transaction->rcpt_sent;
	transaction->send_step = SMTP_STEP_MAIL;
	transaction->receive_step = SMTP_STEP_MAIL;
	if (local == transaction->recipient_count) {
		transaction->send_step = SMTP_STEP_END;
		transaction->receive_step = SMTP_STEP_END;
	}
	client->queue[client->queue_count++] = transaction;
	client->now_ns = now_ns;
	/* Not when others are in flight: gifts must not keep a dead session alive. */
	if (!front)
		smtp_client_arm(client);
}

void smtp_client_rule(struct smtp_client *client, struct smtp_transaction *transaction, u32 first,
		      u32 end, enum smtp_verdict verdict)
{
	ASSERT(client->ruling.transaction == NULL);
	client->ruling = (struct smtp_ruling){
		.transaction = transaction,
		.next = first,
		.end = end,
		.verdict = (u8)verdict,
		.stage = (u8)smtp_transaction_stage(transaction),
		.by_reply = true,
	};
}

/* Next recipient of the ruling that has no verdict yet. */
static bool event_of_ruling(struct smtp_client *client, struct smtp_event *event)
{
	struct smtp_ruling *ruling = &client->ruling;

	while (ruling->transaction && ruling->next < ruling->end) {
		u32 at = ruling->next++;
		struct smtp_recipient *recipient = &ruling->transaction->recipients[at];

		if (recipient->verdict != SMTP_VERDICT_NONE)
			continue;
		recipient->verdict = (enum smtp_verdict)ruling->verdict;
		*event = (struct smtp_event){
			.type = SMTP_EVENT_RECIPIENT,
			.transaction = ruling->transaction,
			.recipient = at,
			.stage = (enum smtp_stage)ruling->stage,
			.failure = (enum smtp_failure)client->failure,
			.reply = ruling->by_reply ? &client->parser.reply : NULL,
		};
		return true;
	}
	ruling->transaction = NULL;
	return false;
}

static bool event_of_local(struct smtp_client *client, struct smtp_transaction *transaction,
			   struct smtp_event *event)
{
	while (transaction->local_at < transaction->recipient_count) {
		u32 at = transaction->local_at++;
		struct smtp_recipient *recipient = &transaction->recipients[at];
		u32 reason = transaction->local_reason;

		if (recipient->verdict != SMTP_VERDICT_LOCAL)
			continue;
		if (reason == LOCAL_NONE)
			reason = recipient_reason(client, recipient->address,
						  smtp_path_check(recipient->address));
		*event = (struct smtp_event){
			.type = SMTP_EVENT_RECIPIENT,
			.transaction = transaction,
			.recipient = at,
			.stage = reason == LOCAL_RECIPIENT ? SMTP_STAGE_RCPT : SMTP_STAGE_MAIL,
			.reply = &local_replies[reason],
		};
		return true;
	}
	transaction->local_untold = false;
	return false;
}

static void client_take_out(struct smtp_client *client, u32 at)
{
	client->queue_count--;
	memmove(&client->queue[at], &client->queue[at + 1],
		(client->queue_count - at) * sizeof(client->queue[0]));
	if (client->step != SMTP_STEP_OPEN || client->queue_count > 0)
		return;
	if (client->quitting)
		smtp_client_enter(client, NULL, SMTP_STEP_QUIT);
	else
		smtp_client_arm(client);
}

/* LOCAL verdicts, and transactions of which nothing is to come. */
static bool event_of_queue(struct smtp_client *client, struct smtp_event *event)
{
	for (u32 i = 0; i < client->queue_count; i++) {
		struct smtp_transaction *transaction = client->queue[i];

		if (transaction->local_untold && event_of_local(client, transaction, event))
			return true;
		/* A host that answers early must not make us free what is still being sent. */
		if (transaction->receive_step != SMTP_STEP_END ||
		    (transaction->content_out && client->step != SMTP_STEP_OVER))
			continue;
		*event = (struct smtp_event){
			.type = SMTP_EVENT_DONE,
			.transaction = transaction,
			.stage = SMTP_STAGE_IDLE,
		};
		client_take_out(client, i);
		return true;
	}
	return false;
}

static bool event_of_end(struct smtp_client *client, struct smtp_event *event)
{
	if (client->close_told)
		return false;
	client->close_told = true;
	*event = (struct smtp_event){
		.type = SMTP_EVENT_CLOSE,
		.stage = (enum smtp_stage)client->failure_stage,
		.failure = (enum smtp_failure)client->failure,
		.reply = client->failure_by_reply ? &client->parser.reply : NULL,
	};
	return true;
}

/* The connection is over: the oldest transaction's undecided recipients get their verdict. */
static void client_settle(struct smtp_client *client)
{
	struct smtp_transaction *transaction = client->queue[0];
	enum smtp_verdict verdict =
		transaction->ended ? SMTP_VERDICT_IN_DOUBT : SMTP_VERDICT_UNSENT;

	if (transaction == client->blamed)
		verdict = (enum smtp_verdict)client->blame_verdict;
	smtp_client_rule(client, transaction, 0, transaction->recipient_count, verdict);
	client->ruling.by_reply = transaction == client->blamed;
	transaction->receive_step = SMTP_STEP_END;
}

static bool event_of_announcement(struct smtp_client *client, struct smtp_event *event)
{
	bool ready = client->announce & ANNOUNCE_READY;

	if (client->announce == 0)
		return false;
	client->announce = 0;
	*event = (struct smtp_event){
		.type = ready ? SMTP_EVENT_READY : SMTP_EVENT_START_TLS,
		.stage = ready ? SMTP_STAGE_IDLE : SMTP_STAGE_STARTTLS,
	};
	return true;
}

/* Reads up to the end of the next reply. */
static void client_read(struct smtp_client *client)
{
	size_t used = 0;
	enum smtp_reply_result result =
		smtp_reply_feed(&client->parser, client->input, &used,
				client->step == SMTP_STEP_EHLO ? smtp_client_learn : NULL, client);

	client->input = (struct slice){ client->input.ptr + used, client->input.len - used };
	if (result == SMTP_REPLY_DONE)
		smtp_client_answer(client);
	else if (result == SMTP_REPLY_ERROR)
		smtp_client_over(client, SMTP_FAILURE_PROTOCOL, client_stage(client), false);
}

bool smtp_client_next_event(struct smtp_client *client, struct smtp_event *event)
{
	for (;;) {
		if (event_of_ruling(client, event) || event_of_queue(client, event) ||
		    event_of_announcement(client, event))
			return true;
		if (client->step == SMTP_STEP_OVER && client->queue_count > 0)
			client_settle(client);
		else if (client->step == SMTP_STEP_OVER)
			return event_of_end(client, event);
		else if (client->input.len > 0)
			client_read(client);
		else
			return false;
	}
}
