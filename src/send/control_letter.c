/*
 * letter.send: a single message with its recipients is collected, given to the planner, and
 * answered when it is durable. Everything about it lies in memory until then, so how much all links
 * together may bring is bounded. letter.status: what became of one.
 */
#include "base/log.h"
#include "base/text.h"
#include "control/letter.h"
#include "delivery/letter.h"
#include "message/message.h"
#include "send/control_parts.h"
#include "store/row_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTER_OPTIONS_MAX 8192
#define LETTER_COLUMNS_MAX (CONTROL_COLUMNS_MAX * 65)
#define LETTER_ROWS_MAX (16u << 20)
#define LETTERS_BYTES_MAX (192u << 20) /* of all links */

struct control_sending {
	struct letter_wait wait;
	struct control_link *link;
	struct buf texts; /* key, customer, sender and envid, one behind the other */
	struct buf parts[CONTROL_DATA_PARTS + 1]; /* by tag */
	u64 sizes[CONTROL_DATA_PARTS + 1];
	struct buf columns;
	struct buf options;
	struct buf rows; /* batches as they came */
	struct letter_recipient *recipients;
	size_t column_count;
	u64 announced; /* bytes that count against LETTERS_BYTES_MAX */
	bool is_waiting;
};

static void free_sending(struct control_link *link)
{
	struct control_sending *s = link->sending_letter;

	link->control->letter_bytes -= s->announced;
	for (size_t tag = 0; tag <= CONTROL_DATA_PARTS; tag++)
		buf_done(&s->parts[tag]);
	buf_done(&s->texts);
	buf_done(&s->columns);
	buf_done(&s->options);
	buf_done(&s->rows);
	free(s->recipients);
	free(s);
	link->sending_letter = NULL;
}

void control_letter_abort(struct control_link *link)
{
	struct control_sending *s = link->sending_letter;

	if (!s)
		return;
	if (s->is_waiting)
		planner_letter_leave(link->control->params.planner, &s->wait);
	free_sending(link);
}

/* What the client has sent already is ignored up to its END. */
static void refuse(struct control_link *link, enum control_code code, const char *sentence)
{
	log_info("send", "a letter is refused", "reason=%s", sentence);
	control_letter_abort(link);
	link->state = LINK_DRAIN;
	link_refuse(link, code, sentence);
}

/* ---- the request ---- */

static struct slice keep(struct control_sending *s, const char *text)
{
	size_t at = s->texts.len;

	buf_add_text(&s->texts, text ? text : "");
	return (struct slice){ s->texts.ptr + at, s->texts.len - at };
}

static u8 kind_of(const char *word)
{
	return strcmp(word, "forward") == 0 ? LETTER_FORWARD :
	       strcmp(word, "report") == 0  ? LETTER_REPORT :
	       strcmp(word, "notice") == 0  ? LETTER_NOTICE :
					      LETTER_SUBMITTED;
}

static u8 ret_of(const char *word)
{
	if (!word)
		return LETTER_RET_NONE;
	return strcmp(word, "full") == 0 ? LETTER_RET_FULL : LETTER_RET_HDRS;
}

static bool pack_options(struct control_sending *s, const struct control_letter *letter)
{
	const struct planner_options options =
		control_options_of(&letter->content, letter->is_literal);

	planner_options_pack(&options, &s->options);
	return slice_find_char(options.unsubscribe_url, '\n') < 0 &&
	       slice_find_char(options.unsubscribe_mailto, '\n') < 0 && !s->options.failed;
}

/* Texts are copied: the request goes. `texts` has its whole size from the beginning. */
static bool fill(struct control_sending *s, const struct control_letter *letter)
{
	const struct control_campaign_create *content = &letter->content;
	struct letter *out = &s->wait.letter;

	out->key = keep(s, letter->key);
	out->customer = keep(s, content->customer);
	out->sender = keep(s, letter->sender);
	out->envid = keep(s, letter->envid);
	out->kind = kind_of(letter->kind);
	out->ret = ret_of(letter->ret);
	out->expire_after_ms = content->expire_ms;
	for (size_t i = 0; i < content->column_count; i++) {
		if (i > 0)
			buf_add_char(&s->columns, '\n');
		buf_add_text(&s->columns, content->columns[i]);
	}
	s->column_count = content->column_count;
	memcpy(s->sizes, content->sizes, sizeof(s->sizes));
	return pack_options(s, letter) && !s->columns.failed && !s->texts.failed;
}

static void on_kept(struct letter_wait *wait, enum letter_result result, const char *sentence);

static struct control_sending *make_sending(struct control_link *link)
{
	const size_t texts = CONTROL_KEY_MAX + 256 + CONTROL_SENDER_MAX + CONTROL_ENVID_MAX;
	struct control_sending *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->link = link;
	s->wait.done = on_kept;
	list_init(&s->wait.node);
	buf_init(&s->texts, texts);
	for (size_t tag = 0; tag <= CONTROL_DATA_PARTS; tag++)
		buf_init(&s->parts[tag], CONTROL_TEMPLATE_MAX);
	buf_init(&s->columns, LETTER_COLUMNS_MAX);
	buf_init(&s->options, LETTER_OPTIONS_MAX);
	buf_init(&s->rows, LETTER_ROWS_MAX);
	link->sending_letter = s;
	if (buf_reserve(&s->texts, texts))
		return s;
	free_sending(link);
	return NULL;
}

static u64 announced(const struct control_letter *letter)
{
	u64 sum = LETTER_ROWS_MAX / 4;

	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++)
		sum += letter->content.sizes[tag];
	return sum;
}

void control_letter_begin(struct control_link *link, const struct control_request *request)
{
	struct send_control *control = link->control;
	struct control_letter letter;
	struct control_sending *s;
	struct error error;

	if (!control_read_letter(request, &letter, &error)) {
		refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!planner_takes_recipients(control->params.planner, &error)) {
		refuse(link, CONTROL_FULL, error.text);
		return;
	}
	if (control->letter_bytes + announced(&letter) > LETTERS_BYTES_MAX) {
		refuse(link, CONTROL_FULL, "too many letters are under way: try again in a moment");
		return;
	}
	s = make_sending(link);
	if (!s) {
		refuse(link, CONTROL_FAILED, "out of memory for a letter");
		return;
	}
	s->announced = announced(&letter);
	control->letter_bytes += s->announced;
	if (!fill(s, &letter)) {
		refuse(link, CONTROL_BAD_REQUEST,
		       "letter.send: unsubscribe addresses are one line each, and short");
		return;
	}
	link->state = LINK_IMPORT;
}

/* ---- data ---- */

void control_letter_data(struct control_link *link, struct slice payload)
{
	struct control_sending *s = link->sending_letter;
	enum control_data_tag tag;
	struct slice bytes;
	struct error error;
	struct buf *to;

	if (!control_data_open(payload, &tag, &bytes, &error)) {
		refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (tag == CONTROL_DATA_ROWS) {
		refuse(link, CONTROL_BAD_REQUEST, "letter.send: rows are those of a campaign");
		return;
	}
	to = tag == CONTROL_DATA_RECIPIENTS ? &s->rows : &s->parts[tag];
	if (tag != CONTROL_DATA_RECIPIENTS && bytes.len > s->sizes[tag] - to->len) {
		refuse(link, CONTROL_BAD_REQUEST,
		       "letter.send: more bytes of the message than were announced");
		return;
	}
	buf_add_slice(to, bytes);
	if (to->no_memory)
		refuse(link, CONTROL_FAILED, "out of memory for a letter");
	else if (to->failed)
		refuse(link, CONTROL_REFUSED_CONTENT, "letter.send: too many recipients");
}

/* NULL: fine; else a sentence. */
static const char *read_recipients(struct control_sending *s)
{
	struct letter *letter = &s->wait.letter;
	struct slice rest = buf_slice(&s->rows);
	struct slice values[CONTROL_COLUMNS_MAX];
	struct control_recipient r;
	enum control_row_result result;

	s->recipients = calloc(LETTER_RECIPIENTS_MAX, sizeof(*s->recipients));
	if (!s->recipients)
		return "out of memory for a letter";
	while ((result = control_recipient_take(&rest, &r)) == CONTROL_ROW) {
		if (letter->recipient_count == LETTER_RECIPIENTS_MAX)
			return "letter.send: too many recipients";
		if (!control_is_wire_address(r.address))
			return "letter.send: a recipient is no address in the form local@domain";
		if (!row_values_unpack(r.values, values, s->column_count))
			return "letter.send: a recipient has more values than there are columns";
		s->recipients[letter->recipient_count++] = (struct letter_recipient){
			.address = r.address,
			.values = r.values,
			.orcpt = r.orcpt,
			.notify = r.notify,
		};
	}
	if (result == CONTROL_ROWS_BAD)
		return "letter.send: a batch of recipients is damaged";
	letter->recipients = s->recipients;
	return letter->recipient_count > 0 ? NULL : "letter.send: there is no recipient";
}

static bool is_whole(const struct control_sending *s)
{
	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++) {
		if (s->parts[tag].len < s->sizes[tag])
			return false;
	}
	return true;
}

void control_letter_end(struct control_link *link)
{
	struct control_sending *s = link->sending_letter;
	const char *wrong = is_whole(s) ? read_recipients(s) : "letter.send: the message is not "
							       "whole";

	if (wrong) {
		refuse(link, CONTROL_BAD_REQUEST, wrong);
		link->state = LINK_IDLE;
		return;
	}
	s->wait.letter.source = (struct planner_source){
		.whole = buf_slice(&s->parts[CONTROL_DATA_WHOLE]),
		.headers = buf_slice(&s->parts[CONTROL_DATA_HEADERS]),
		.text = buf_slice(&s->parts[CONTROL_DATA_TEXT]),
		.html = buf_slice(&s->parts[CONTROL_DATA_HTML]),
		.columns = buf_slice(&s->columns),
		.options = buf_slice(&s->options),
	};
	link->state = LINK_WAIT;
	s->is_waiting = true;
	planner_letter_add(link->control->params.planner, &s->wait);
}

/* ---- the answer ---- */

static json_t *answer_id(const struct row_id *id)
{
	char text[32];

	snprintf(text, sizeof(text), "%u.%u", id->campaign, id->domain);
	return json_string(text);
}

static void on_kept(struct letter_wait *wait, enum letter_result result, const char *sentence)
{
	struct control_sending *s = container_of(wait, struct control_sending, wait);
	struct control_link *link = s->link;

	s->is_waiting = false;
	if (result == LETTER_KEPT || result == LETTER_KNOWN)
		link_reply(link, json_pack("{s:o, s:b, s:I}", "id", answer_id(&wait->id), "known",
					   result == LETTER_KNOWN, "recipients",
					   (json_int_t)wait->letter.recipient_count));
	else
		link_refuse(link,
			    result == LETTER_REFUSED ? CONTROL_REFUSED_CONTENT : CONTROL_FULL,
			    sentence);
	free_sending(link);
	link->state = LINK_IDLE;
	/* Within a turn of the planner: what waits on the link is read after it. */
	link_later(link);
}

/* ---- letter.status ---- */

static bool parse_id(const char *text, u32 *campaign, u32 *number)
{
	struct slice rest = slice_of(text);
	struct slice first = slice_split(&rest, '.');

	return rest.ptr && slice_to_u32(first, campaign) && slice_to_u32(rest, number);
}

static const char *state_of(const struct queue_letter *letter)
{
	if (!letter_is_over(letter))
		return "waiting";
	return letter->failed == 0 ? "delivered" : letter->delivered == 0 ? "failed" : "mixed";
}

static void reply_status(struct control_link *link, const struct queue_letter *letter)
{
	static const char *const kinds[] = { "", "submitted", "notice", "report", "forward" };
	const struct row_id id = { letter->campaign, letter->number, 0 };

	link_reply(link,
		   json_pack("{s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "id",
			     answer_id(&id), "key", answer_text_of(letter->key), "kind",
			     kinds[letter->kind], "state", state_of(letter), "recipients",
			     (json_int_t)letter->recipients, "delivered",
			     (json_int_t)letter->delivered, "failed", (json_int_t)letter->failed,
			     "accepted_ms", (json_int_t)letter->wall_ms, "expire_ms",
			     (json_int_t)letter->expire_after_ms, "sender",
			     answer_text_of(letter->sender)));
}

/* Finds it by one of its names and begins a slice, which the caller ends; else refuses. */
static bool find_begin(struct control_link *link, const char *command, const char *id,
		       const char *key, struct queue_letter *letter)
{
	struct queue *queue = planner_queue(link->control->params.planner);
	enum store_result result;
	struct error error;
	u32 campaign = 0;
	u32 number = 0;

	if (!id == !key || (id && !parse_id(id, &campaign, &number))) {
		error_set(&error, "%s: give \"id\", as letter.send said it, or \"key\"", command);
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return false;
	}
	if (!slice_begin(link))
		return false;
	result = id ? queue_letter_get(queue, campaign, number, letter) :
		      queue_letter_find(queue, slice_of(key), letter);
	if (result == STORE_OK)
		return true;
	if (slice_end(link, result))
		link_refuse(link, CONTROL_NOT_FOUND,
			    "there is no such letter, or it was over more than a day ago");
	return false;
}

bool control_letter_find(struct control_link *link, const char *command, const char *id,
			 const char *key, struct queue_letter *letter)
{
	if (!find_begin(link, command, id, key, letter))
		return false;
	/* Its texts end with the transaction. */
	letter->key = letter->sender = letter->envid = SLICE_NONE;
	return slice_end(link, STORE_OK);
}

void control_letter_status(struct control_link *link, const struct control_request *request)
{
	const char *id = NULL;
	const char *key = NULL;
	const struct control_arg args[] = {
		{ "id", CONTROL_TEXT, false, &id },
		{ "key", CONTROL_TEXT, false, &key },
	};
	struct queue_letter letter;
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!find_begin(link, request->command, id, key, &letter))
		return;
	reply_status(link, &letter);
	/* Nothing was written: there is nothing to fail. */
	(void)slice_end(link, STORE_OK);
}
