/*
 * The send cursor: what goes next, and the bytes of it. Nothing is written before
 * smtp_client_output asks, so that "written" and "given out" are one thing. What was given out and
 * not told as sent is
 *
 *   lead of transaction 0 | content of 0 | lead of 1 | content of 1 | ... | tail
 *
 * where leads and tail are runs of client->out and content starts at piece_at/piece_offset. After a
 * short send the rest is laid out again from there; no copy of the plan is kept.
 */
#include "smtp/client_own.h"

#include "base/check.h"
#include "base/text.h"
#include "smtp/command.h"

#include <string.h>

static const struct slice dot_line = SLICE(".\r\n");

/* Appends to the output; false: no entry left. */
static bool output_put(struct smtp_output *output, const char *ptr, size_t len)
{
	struct iovec *last = &output->iov[output->iov_count > 0 ? output->iov_count - 1 : 0];

	if (len == 0)
		return true;
	if (output->iov_count > 0 && (const char *)last->iov_base + last->iov_len == ptr) {
		last->iov_len += len;
	} else {
		if (output->iov_count == output->iov_max)
			return false;
		output->iov[output->iov_count++] = (struct iovec){ (void *)ptr, len };
	}
	output->bytes += len;
	return true;
}

/*
 * Content from a place on: pieces (behind BDAT without stuffing), then, behind DATA, the dot line
 * as if it were one more piece. Moves the place over what is empty; false at the end.
 */
static bool content_at(const struct smtp_transaction *transaction, u32 *at, u32 *offset,
		       struct slice *run)
{
	for (; *at < transaction->piece_count; (*at)++, *offset = 0) {
		const struct piece *piece = &transaction->pieces[*at];

		if (*offset < piece->len && !(transaction->bdat && piece->stuffing)) {
			*run = (struct slice){ piece->ptr + *offset, piece->len - *offset };
			return true;
		}
	}
	if (transaction->bdat || *offset == dot_line.len)
		return false;
	*run = (struct slice){ dot_line.ptr + *offset, dot_line.len - *offset };
	return true;
}

/* True when all of the content is in the output. */
static bool output_content(struct smtp_output *output, struct smtp_transaction *transaction)
{
	u32 at = transaction->piece_at;
	u32 offset = transaction->piece_offset;
	struct slice run;

	while (content_at(transaction, &at, &offset, &run)) {
		if (!output_put(output, run.ptr, run.len))
			return false;
		offset += (u32)run.len;
	}
	if (transaction->send_step != SMTP_STEP_BODY)
		return true;
	transaction->send_step = SMTP_STEP_END;
	if (!transaction->dot_only) {
		transaction->ended = true;
		output->ending[output->ending_count++] = transaction;
	}
	return true;
}

/* Lays out again what was given out before and not told as sent. */
static bool output_again(const struct smtp_client *client, struct smtp_output *output)
{
	const char *text = client->out;

	for (u32 i = 0; i < client->queue_count; i++) {
		struct smtp_transaction *transaction = client->queue[i];

		if (!transaction->content_out)
			continue;
		if (!output_put(output, text, transaction->lead) ||
		    !output_content(output, transaction))
			return false;
		text += transaction->lead;
	}
	return output_put(output, text, client->tail);
}

/* A place in the output for more command text? */
static bool output_has_room(const struct smtp_client *client, const struct smtp_output *output)
{
	return client->tail > 0 || output->iov_count < output->iov_max;
}

/* May the step at this transaction's send cursor go now? `clear`: no reply is being waited for. */
static bool transaction_may_send(const struct smtp_client *client,
				 const struct smtp_transaction *transaction, bool clear)
{
	bool pipelining = smtp_client_has(client, SMTP_CAP_PIPELINING);
	bool rcpt_known = transaction->receive_step == SMTP_STEP_RCPT &&
			  transaction->rcpt_answered == transaction->recipient_count;

	switch (transaction->send_step) {
	case SMTP_STEP_BDAT:
		return rcpt_known || (pipelining && client->cautious == 0);
	case SMTP_STEP_BODY:
		return transaction->bdat || transaction->receive_step == SMTP_STEP_DOT;
	default:
		return pipelining || clear;
	}
}

/* Step at the send cursor when it may go now, else NONE. */
static enum smtp_step send_cursor(const struct smtp_client *client,
				  struct smtp_transaction **transaction)
{
	struct smtp_transaction *waiting = NULL;
	bool clear;

	*transaction = NULL;
	if (client->step != SMTP_STEP_OPEN)
		return client->to_write ? (enum smtp_step)client->step : SMTP_STEP_NONE;
	clear = smtp_receive_cursor(client, &waiting) == SMTP_STEP_NONE;
	for (u32 i = 0; i < client->queue_count; i++) {
		struct smtp_transaction *at = client->queue[i];

		if (at->send_step == SMTP_STEP_END)
			continue;
		*transaction = at;
		return transaction_may_send(client, at, clear) ? (enum smtp_step)at->send_step :
								 SMTP_STEP_NONE;
	}
	return SMTP_STEP_NONE;
}

/* One step more; false: nothing may go, or no room. */
static bool output_step(struct smtp_client *client, struct smtp_output *output)
{
	struct smtp_transaction *transaction;
	enum smtp_step step = send_cursor(client, &transaction);
	const char *text = client->out + client->out_end;
	size_t len;

	if (step == SMTP_STEP_NONE)
		return false;
	if (step == SMTP_STEP_BODY) {
		/* Content that did not fit before was laid out again first, or we are not here. */
		ASSERT(transaction && !transaction->content_out);
		transaction->content_out = true;
		transaction->lead = client->tail;
		client->tail = 0;
		return output_content(output, transaction);
	}
	if (!output_has_room(client, output))
		return false;
	len = smtp_steps[step].write(client, transaction, slice_of(smtp_steps[step].verb));
	if (len == 0)
		return false;
	client->out_end = (u16)(client->out_end + len);
	client->tail = (u16)(client->tail + len);
	return output_put(output, text, len);
}

bool smtp_client_output(struct smtp_client *client, struct smtp_output *output)
{
	output->iov_count = 0;
	output->bytes = 0;
	output->ending_count = 0;
	if (client->step == SMTP_STEP_OVER)
		return false;
	ASSERT(client->under_way == 0);
	ASSERT(output->iov_max > 0);
	if (client->out_start > 0) {
		client->out_end = (u16)(client->out_end - client->out_start);
		memmove(client->out, client->out + client->out_start, client->out_end);
		client->out_start = 0;
	}
	if (output_again(client, output)) {
		while (output_step(client, output))
			;
	}
	client->under_way = output->bytes;
	return output->bytes > 0;
}

/* Moves over so many bytes of content; true when none is left. */
static bool content_take(struct smtp_transaction *transaction, size_t *bytes)
{
	struct slice run;

	while (content_at(transaction, &transaction->piece_at, &transaction->piece_offset, &run)) {
		size_t taken = min_size(run.len, *bytes);

		transaction->piece_offset += (u32)taken;
		*bytes -= taken;
		if (taken < run.len)
			return false;
	}
	return true;
}

static void client_take_sent(struct smtp_client *client, size_t bytes)
{
	size_t taken;

	for (u32 i = 0; i < client->queue_count; i++) {
		struct smtp_transaction *transaction = client->queue[i];

		if (!transaction->content_out)
			continue;
		taken = min_size(transaction->lead, bytes);
		transaction->lead = (u16)(transaction->lead - taken);
		client->out_start = (u16)(client->out_start + taken);
		bytes -= taken;
		if (transaction->lead > 0 || !content_take(transaction, &bytes))
			return;
		transaction->content_out = false;
	}
	ASSERT(bytes <= client->tail);
	client->tail = (u16)(client->tail - bytes);
	client->out_start = (u16)(client->out_start + bytes);
}

void smtp_client_sent(struct smtp_client *client, size_t bytes, u64 now_ns)
{
	bool in_part = bytes < client->under_way;

	ASSERT(bytes <= client->under_way);
	client->now_ns = now_ns;
	client->under_way = 0;
	if (client->step == SMTP_STEP_OVER)
		return;
	client_take_sent(client, bytes);
	for (u32 i = 0; in_part && i < client->queue_count; i++) {
		struct smtp_transaction *transaction = client->queue[i];

		/* Its last byte has not gone after all; but what the host answered stands. */
		if (transaction->content_out && transaction->send_step == SMTP_STEP_END &&
		    transaction->receive_step < SMTP_STEP_RSET) {
			transaction->send_step = SMTP_STEP_BODY;
			transaction->ended = false;
		}
	}
	if (bytes > 0)
		smtp_client_arm(client);
}

/* Into client->out; 0: no room now. Arguments were checked when they were given to us. */
static size_t client_write(struct smtp_client *client, const struct smtp_command *command)
{
	size_t room = SMTP_OUT_SIZE - client->out_end;
	size_t len = smtp_command_write(client->out + client->out_end, room, command);

	ASSERT(len > 0 || room < SMTP_COMMAND_MAX);
	return len;
}

size_t smtp_write_hello(struct smtp_client *client, struct smtp_transaction *none,
			struct slice verb)
{
	struct smtp_command command = { .verb = verb, .argument = client->params.ehlo_name };

	(void)none;
	client->to_write = false;
	return client_write(client, &command);
}

size_t smtp_write_plain(struct smtp_client *client, struct smtp_transaction *none,
			struct slice verb)
{
	struct smtp_command command = { .verb = verb };

	(void)none;
	client->to_write = false;
	return client_write(client, &command);
}

/* Parameters of MAIL and BDAT: " SIZE=" or nothing, 20 digits, " BODY=8BITMIME", " SMTPUTF8". */
struct parameters {
	size_t len;
	char text[64];
};

static void parameters_add(struct parameters *parameters, struct slice text)
{
	ASSERT(text.len <= sizeof(parameters->text) - parameters->len);
	memcpy(parameters->text + parameters->len, text.ptr, text.len);
	parameters->len += text.len;
}

static void parameters_add_number(struct parameters *parameters, u64 number)
{
	char digits[SMTP_DIGITS_MAX];
	size_t len = smtp_digits_write(digits, number);

	parameters_add(parameters, (struct slice){ digits, len });
}

/*
 * A transaction before this one has an unanswered BDAT, or an end of data that nobody will take.
 * Should that fail, the host may keep it open (RFC 3030 section 2), refuse the next MAIL and take
 * what follows in the failed one's sender's name: MAIL goes behind an end or an RSET only (RFC 5321
 * section 4.1.4).
 */
static bool transaction_needs_clear(const struct smtp_client *client,
				    const struct smtp_transaction *transaction)
{
	for (u32 i = 0; i < client->queue_count && client->queue[i] != transaction; i++) {
		const struct smtp_transaction *at = client->queue[i];

		if (((at->bdat && at->go_given) || at->dot_only) &&
		    at->receive_step < SMTP_STEP_RSET)
			return true;
	}
	return false;
}

size_t smtp_write_mail(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb)
{
	bool clear = transaction_needs_clear(client, transaction);
	struct parameters parameters = { 0 };
	struct smtp_command command = { .verb = clear ? SLICE("RSET\r\nMAIL FROM:") : verb,
					.bracketed = true,
					.argument = transaction->sender };
	size_t len;

	if (smtp_client_has(client, SMTP_CAP_SIZE)) {
		parameters_add(&parameters, SLICE(" SIZE="));
		parameters_add_number(&parameters, transaction->size);
	}
	if (transaction->eightbit)
		parameters_add(&parameters, SLICE(" BODY=8BITMIME"));
	if (transaction->needs_utf8)
		parameters_add(&parameters, SLICE(" SMTPUTF8"));
	command.parameters = (struct slice){ parameters.text, parameters.len };
	len = client_write(client, &command);
	if (len == 0)
		return 0;
	transaction->send_step = SMTP_STEP_RCPT;
	if (clear)
		smtp_client_enter(client, transaction, SMTP_STEP_CLEAR);
	return len;
}

size_t smtp_write_rcpt(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb)
{
	struct smtp_recipient *recipient = &transaction->recipients[transaction->rcpt_sent];
	struct smtp_command command = { .verb = verb,
					.bracketed = true,
					.raw_dots = transaction->raw_dots,
					.argument = recipient->address };
	size_t len = client_write(client, &command);

	if (len == 0)
		return 0;
	transaction->rcpt_sent = smtp_recipient_from(transaction, transaction->rcpt_sent + 1);
	transaction->bdat = smtp_client_has(client, smtp_steps[SMTP_STEP_BDAT].needs);
	if (transaction->rcpt_sent == transaction->recipient_count)
		transaction->send_step = transaction->bdat ? SMTP_STEP_BDAT : SMTP_STEP_DATA;
	return len;
}

/* DATA or BDAT went out: content is next, and its reply is the one behind those to RCPT. */
static void transaction_go(struct smtp_client *client, struct smtp_transaction *transaction)
{
	enum smtp_step step = transaction->bdat ? SMTP_STEP_BDAT : SMTP_STEP_DATA;

	transaction->send_step = SMTP_STEP_BODY;
	transaction->go_given = true;
	if (transaction->receive_step == SMTP_STEP_RCPT &&
	    transaction->rcpt_answered == transaction->rcpt_sent)
		smtp_client_enter(client, transaction, step);
}

size_t smtp_write_data(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb)
{
	size_t len = client_write(client, &(struct smtp_command){ .verb = verb });

	if (len > 0)
		transaction_go(client, transaction);
	return len;
}

size_t smtp_write_bdat(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb)
{
	struct parameters parameters = { 0 };
	struct smtp_command command = { .verb = verb };
	size_t len;

	parameters_add_number(&parameters, transaction->size);
	parameters_add(&parameters, SLICE(" LAST"));
	command.parameters = (struct slice){ parameters.text, parameters.len };
	len = client_write(client, &command);
	if (len == 0)
		return 0;
	if (client->cautious > 0)
		client->cautious--;
	transaction_go(client, transaction);
	return len;
}

size_t smtp_write_rset(struct smtp_client *client, struct smtp_transaction *transaction,
		       struct slice verb)
{
	size_t len = client_write(client, &(struct smtp_command){ .verb = verb });

	if (len > 0)
		transaction->send_step = SMTP_STEP_END;
	return len;
}
