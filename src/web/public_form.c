/*
 * /f/NAME: subscription forms. GET shows one; POST is kept when it is whole and form_guard lets it
 * in. What is answered does not tell whether the address is known: it is the same page after the
 * same work; mails are the teller's, later. A form filled in at another site (an allowed one) has
 * no token: then it is shown here, filled in, and sent once more.
 */
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/form_guard.h"
#include "campaign/value.h"
#include "message/address.h"
#include "web/public_form.h"
#include "web/teller.h"

#include <stdlib.h>

#define AGENT_MAX 300
#define PEER_MAX 64
#define CONSENT_MAX 1000

/* ---- finding it ---- */

/* Begins to read; false: answered, and nothing is being read. */
static bool find_form(struct call *call, struct audience_form *form)
{
	struct audience_txn *txn = call->web->reader;
	enum store_result result = audience_begin_read(txn);

	if (result == STORE_OK)
		result = audience_form_find(txn, slice_of(call->argument), form);
	if (result == STORE_OK)
		return true;
	audience_abort(txn);
	call_problem_page(call, result == STORE_NOT_FOUND ? 404 : 503, NULL);
	return false;
}

void public_form(struct call *call)
{
	static const struct form_mistakes none;
	struct audience_form form;
	struct form nothing;

	form_init(&nothing);
	if (find_form(call, &form))
		public_form_show(call, call->web->reader, &form, &nothing, &none, NOTICE_NONE);
}

void public_form_style(struct call *call)
{
	struct audience_form form;
	char colour[8];
	struct buf css;

	if (!find_form(call, &form))
		return;
	slice_copy(colour, sizeof(colour), form.of[FORM_COLOUR]);
	audience_abort(call->web->reader);
	buf_init(&css, 256);
	if (colour[0])
		buf_add_format(&css, "main button{background:%s;border-color:%s;color:#fff}\n",
			       colour, colour);
	call_answer_text(call, 200, "text/css; charset=utf-8", buf_slice(&css));
	buf_done(&css);
}

/* ---- where it comes from ---- */

/* "https://mail.example.jp" of this request. */
static bool is_own_origin(const struct call *call, struct slice origin)
{
	struct slice host = public_says(call, "HTTP_HOST");
	struct slice rest = origin;

	if (slice_has_prefix_nocase(origin, SLICE("https://")))
		rest = slice_from(origin, 8);
	else if (slice_has_prefix_nocase(origin, SLICE("http://")))
		rest = slice_from(origin, 7);
	return host.len > 0 && slice_equal_nocase(rest, host);
}

static bool is_from_elsewhere(const struct call *call)
{
	struct slice origin = public_says(call, "HTTP_ORIGIN");

	return origin.len > 0 && !is_own_origin(call, origin);
}

/* ---- what was filled in ---- */

struct kept {
	struct call_order order;
	struct sign_up sign_up;
	bool changed;
	char address[ADDRESS_WIRE_MAX];
	char key[ADDRESS_WIRE_MAX];
	char peer[PEER_MAX];
	char agent[AGENT_MAX + 1];
	char consent[CONSENT_MAX + 1];
	struct buf values;
	struct buf done; /* the form's words for afterwards */
	struct buf redirect;
};

static bool read_email(struct kept *kept, const struct form *sent)
{
	struct buf wire = { .ptr = kept->address,
			    .size = ADDRESS_WIRE_MAX,
			    .max = ADDRESS_WIRE_MAX };
	struct buf key = { .ptr = kept->key, .size = ADDRESS_WIRE_MAX, .max = ADDRESS_WIRE_MAX };
	struct address address;
	struct error error;

	if (!address_parse(&address, form_text(sent, FORM_EMAIL), &error))
		return false;
	address_add_wire(&address, &wire);
	address_add_key(&address, &key);
	kept->sign_up.address = buf_slice(&wire);
	kept->sign_up.key = buf_slice(&key);
	return !wire.failed && !key.failed && wire.len <= CONTACT_ADDRESS_MAX;
}

/* Among the others, in its place. False: no room; they stay as they are. */
static bool put_value(struct buf *values, u16 attribute, struct slice value)
{
	struct buf merged;
	struct buf one;
	bool is_put;

	buf_init(&one, CONTACT_VALUE_MAX + 8);
	buf_init(&merged, CONTACT_VALUES_MAX);
	contact_put_value(&one, attribute, value);
	if (value.len > 0) {
		contact_merge_values(&merged, buf_slice(values), buf_slice(&one));
	} else { /* one that takes away is kept as such; ids ascend here */
		buf_add_slice(&merged, buf_slice(values));
		buf_add_slice(&merged, buf_slice(&one));
	}
	is_put = !one.failed && !merged.failed;
	buf_done(&one);
	buf_done(is_put ? values : &merged);
	if (is_put)
		*values = merged;
	return is_put;
}

const char *public_read_value(struct buf *values, const struct attribute *attribute,
			      bool is_required, bool empties, const struct form *sent,
			      enum language language)
{
	bool japanese = language == LANGUAGE_JAPANESE;
	char name[FORM_FIELD_NAME_SIZE];
	struct slice text = form_text(sent, public_field_name(name, attribute->id));
	enum value_problem problem;
	struct buf value;

	if (attribute->type == ATTRIBUTE_YES_NO && text.len == 0)
		text = SLICE("0");
	if (text.len == 0 && is_required)
		return japanese ? "入力してください" : "This has to be filled in.";
	buf_init(&value, CONTACT_VALUE_MAX);
	problem = value_read(&value, attribute->type, attribute->choices, text);
	if (problem == VALUE_GOOD && (value.len > 0 || empties) &&
	    !put_value(values, attribute->id, buf_slice(&value)))
		problem = VALUE_TOO_LONG;
	buf_done(&value);
	return problem == VALUE_GOOD ? NULL : value_problem_words(problem, japanese);
}

static void read_fields(struct call *call, struct kept *kept, const struct audience_form *form,
			struct form_mistakes *mistakes)
{
	struct slice ids = form->of[FORM_FIELDS];
	struct attribute attribute;
	bool is_required;
	u16 id;

	for (u32 i = 0; i < SIGN_UP_FIELDS_MAX && sign_up_next_id(&ids, &id, &is_required); i++) {
		if (attribute_get(call->web->reader, id, &attribute) != STORE_OK)
			continue;
		mistakes->fields[i] = public_read_value(&kept->values, &attribute, is_required,
							false, call->form, call_language(call));
		mistakes->any |= mistakes->fields[i] != NULL;
	}
}

static void read_all(struct call *call, struct kept *kept, const struct audience_form *form,
		     struct form_mistakes *mistakes)
{
	enum language language = call_language(call);
	struct slice consent = public_form_words(form, FORM_CONSENT_JA, language);

	buf_init(&kept->values, CONTACT_VALUES_MAX);
	buf_init(&kept->done, FORM_TEXT_MAX);
	buf_init(&kept->redirect, FORM_TEXT_MAX);
	mistakes->email = !read_email(kept, call->form);
	mistakes->consent = consent.len > 0 && !form_has(call->form, FORM_CONSENT);
	mistakes->any = mistakes->email || mistakes->consent;
	read_fields(call, kept, form, mistakes);
	slice_copy(kept->peer, sizeof(kept->peer), public_says(call, "REMOTE_ADDR"));
	slice_copy(kept->agent, sizeof(kept->agent), public_says(call, "HTTP_USER_AGENT"));
	slice_copy(kept->consent, sizeof(kept->consent), consent);
	buf_add_slice(&kept->done, public_form_words(form, FORM_DONE_JA, language));
	buf_add_slice(&kept->redirect, form->of[FORM_REDIRECT]);
	kept->sign_up.form = form->id;
	kept->sign_up.now_ms = clock_wall_ms();
	kept->sign_up.values = buf_slice(&kept->values);
	kept->sign_up.peer = slice_of(kept->peer);
	kept->sign_up.agent = slice_of(kept->agent);
	kept->sign_up.consent = slice_of(kept->consent);
	kept->sign_up.language = slice_of(language_code(language));
}

/* ---- keeping ---- */

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct kept *kept = container_of(order, struct kept, order);

	return sign_up_keep(txn, &kept->sign_up, &kept->changed);
}

static void on_kept(struct call *call, struct call_order *order)
{
	struct kept *kept = container_of(order, struct kept, order);

	if (call_order_is_well(call, order))
		public_form_done(call, buf_slice(&kept->done), buf_slice(&kept->redirect));
}

static void free_kept(struct kept *kept)
{
	buf_done(&kept->values);
	buf_done(&kept->done);
	buf_done(&kept->redirect);
}

static void on_done(struct call_order *order)
{
	struct kept *kept = container_of(order, struct kept, order);

	if (order->order.result == STORE_OK && kept->changed)
		teller_wake();
	free_kept(kept);
}

static enum form_notice judge(struct call *call, const struct audience_form *form)
{
	u32 wait_s;
	const struct form_try attempt = {
		.form = form->id,
		.token = form_text(call->form, FORM_TOKEN),
		.proof = form_text(call->form, FORM_PROOF),
		.peer = public_says(call, "REMOTE_ADDR"),
		.now_s = clock_wall_ms() / 1000,
	};

	switch (form_guard_judge(call->web->form_guard, call->web->links, &attempt, &wait_s)) {
	case FORM_LETS_IN: return NOTICE_NONE;
	case FORM_TOO_QUICK: return NOTICE_WAIT;
	case FORM_TOO_MANY: return NOTICE_MANY;
	case FORM_NO_TOKEN: break;
	}
	return NOTICE_AGAIN;
}

/* What keeps it from being kept, looked at in the order of what people can mend. */
static enum form_notice look(struct call *call, struct kept *kept,
			     const struct audience_form *form, struct form_mistakes *mistakes)
{
	if (is_from_elsewhere(call) || !form_has(call->form, FORM_TOKEN))
		return NOTICE_FROM_ELSEWHERE;
	read_all(call, kept, form, mistakes);
	if (mistakes->any)
		return NOTICE_CHECK;
	return form->is_open ? judge(call, form) : NOTICE_NONE;
}

/* The transaction that reads has the form; it is ended here. */
static void take(struct call *call, const struct audience_form *form, struct kept *kept)
{
	struct audience_txn *txn = call->web->reader;
	struct form_mistakes mistakes = { 0 };
	enum form_notice notice = look(call, kept, form, &mistakes);
	bool is_trapped = form_text(call->form, FORM_TRAP).len > 0;

	if (notice != NOTICE_NONE || !form->is_open) {
		public_form_show(call, txn, form, call->form, &mistakes, notice);
	} else if (is_trapped) {
		/* A program thinks that it got what it wanted. */
		audience_abort(txn);
		public_form_done(call, buf_slice(&kept->done), buf_slice(&kept->redirect));
	} else {
		audience_abort(txn);
		kept->order.order.apply = apply;
		kept->order.answer = on_kept;
		kept->order.done = on_done;
		call_give_order(call, &kept->order);
		return;
	}
	free_kept(kept);
	free(kept);
}

void public_form_send(struct call *call)
{
	static const struct words elsewhere = {
		{ "This form may not be sent from the site that it was on.",
		  "このサイトからは送信できません。" }
	};
	struct audience_form form;
	struct kept *kept;

	if (!find_form(call, &form))
		return;
	if (is_from_elsewhere(call) &&
	    !sign_up_admits_origin(&form, public_says(call, "HTTP_ORIGIN"))) {
		audience_abort(call->web->reader);
		call_problem_page(call, 403, &elsewhere);
		return;
	}
	kept = calloc(1, sizeof(*kept));
	if (kept) {
		take(call, &form, kept);
		return;
	}
	audience_abort(call->web->reader);
	call_problem_page(call, 503, NULL);
}
