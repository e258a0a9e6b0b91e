#include "dkim/plan.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 76
#define TEMPLATE_MAX 65536

/* Listed once more than they occur, so that adding one breaks the signature (RFC 6376 8.15). */
static const char *const oversigned[] = {
	"From",
	"To",
	"Cc",
	"Subject",
	"Date",
	"Message-ID",
	"Reply-To",
	"In-Reply-To",
	"References",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
};

/* What transports add, change or drop. */
static const char *const unsigned_names[] = {
	"Return-Path", "Received", "Comments", "Keywords", "Bcc", "DKIM-Signature",
};

static bool field_is_signed(struct slice name)
{
	for (size_t i = 0; i < array_count(unsigned_names); i++) {
		if (slice_equal_nocase(name, slice_of(unsigned_names[i])))
			return false;
	}
	return !slice_has_prefix_nocase(name, SLICE("Resent-"));
}

/* A field name by RFC 5322 section 3.6.8; no semicolon, which would end the h= tag. */
static bool name_is_good(struct slice name)
{
	if (name.len == 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c < 33 || c > 126 || c == ':' || c == ';')
			return false;
	}
	return true;
}

/* Fields in the order of h=: indexes into params->fields. */
struct order {
	size_t shared[DKIM_FIELDS_MAX]; /* hashed once */
	size_t shared_count;
	size_t late[DKIM_FIELDS_MAX]; /* hashed per message */
	size_t late_count;
};

/*
 * A verifier resolves the n-th mention of a name in h= to the n-th field of that name counted from
 * the bottom (RFC 6376 section 5.4.2). So the fields of one name stay in bottom-up order, and a
 * shared one above a varying one of the same name has to come behind it.
 */
static void order_one_name(struct order *order, const struct dkim_plan_params *params, size_t last)
{
	struct slice name = params->fields[last].name;
	bool shared = true;

	for (size_t i = last + 1; i-- > 0;) {
		if (!slice_equal_nocase(params->fields[i].name, name))
			continue;
		shared = shared && params->fields[i].value.ptr;
		if (shared)
			order->shared[order->shared_count++] = i;
		else
			order->late[order->late_count++] = i;
	}
}

static bool is_last_of_name(const struct dkim_plan_params *params, size_t at)
{
	for (size_t i = at + 1; i < params->field_count; i++) {
		if (slice_equal_nocase(params->fields[i].name, params->fields[at].name))
			return false;
	}
	return true;
}

static bool order_fields(struct order *order, const struct dkim_plan_params *params,
			 struct error *error)
{
	size_t count = 0;

	order->shared_count = 0;
	order->late_count = 0;
	for (size_t i = 0; i < params->field_count; i++) {
		struct slice name = params->fields[i].name;

		if (!name_is_good(name))
			return error_set(error, "\"%.*s\" is not a header field that can be signed",
					 SLICE_FMT(slice_first(name, 100)));
		count += field_is_signed(name);
	}
	if (count > DKIM_FIELDS_MAX)
		return error_set(error, "%zu header fields to sign, %d are possible", count,
				 DKIM_FIELDS_MAX);
	for (size_t i = 0; i < params->field_count; i++) {
		if (field_is_signed(params->fields[i].name) && is_last_of_name(params, i))
			order_one_name(order, params, i);
	}
	return true;
}

static bool check_from(const struct dkim_plan_params *params, struct error *error)
{
	size_t count = 0;

	for (size_t i = 0; i < params->field_count; i++) {
		if (!slice_equal_nocase(params->fields[i].name, SLICE("From")))
			continue;
		count++;
		if (!params->fields[i].value.ptr)
			return error_set(error, "From must be the same for all recipients");
	}
	if (count != 1)
		return error_set(error, "the message has %s From field",
				 count == 0 ? "no" : "more than one");
	for (size_t i = 0; i < params->key_count; i++) {
		const struct dkim_key *key = params->keys[i];

		if (!slice_equal_nocase(params->from_domain, slice_of(key->domain)))
			return error_set(error,
					 "From is of %.*s, but the DKIM key \"%s\" is of %s",
					 SLICE_FMT(slice_first(params->from_domain, 256)),
					 key->selector, key->domain);
	}
	return true;
}

/* A signature under construction: the text as sent and as hashed, side by side. */
struct draft {
	struct dkim_template *sent;
	struct dkim_template *hashed;
	size_t column;
};

static void draft_add(struct draft *draft, struct slice text)
{
	buf_add_slice(&draft->sent->text, text);
	buf_add_slice(&draft->hashed->text, text);
	draft->column += text.len;
}

/* White space in front of `next` bytes: a space, or a fold, which is a space in relaxed form. */
static void draft_gap(struct draft *draft, size_t next)
{
	bool fold = draft->column + 1 + next > COLUMNS_MAX;

	buf_add_text(&draft->sent->text, fold ? DKIM_FOLD : " ");
	buf_add_char(&draft->hashed->text, ' ');
	draft->column = fold ? 1 : draft->column + 1;
}

/* "name=value;" */
static void draft_tag(struct draft *draft, const char *name, struct slice value)
{
	draft_gap(draft, strlen(name) + value.len + 2);
	draft_add(draft, slice_of(name));
	draft_add(draft, SLICE("="));
	draft_add(draft, value);
	draft_add(draft, SLICE(";"));
}

/* A tag whose value is filled in per message. */
static void draft_place(struct draft *draft, const char *name, struct slice blank, u32 *sent_at,
			u32 *hashed_at)
{
	draft_tag(draft, name, blank);
	*sent_at = (u32)(draft->sent->text.len - blank.len - 1);
	*hashed_at = (u32)(draft->hashed->text.len - blank.len - 1);
}

/* Folds in front of a name where the line would grow too long, never inside one. */
static void draft_h_name(struct draft *draft, struct slice name, bool first)
{
	if (first)
		draft_gap(draft, 2 + name.len + 1);
	draft_add(draft, first ? SLICE("h=") : SLICE(":"));
	if (!first && draft->column + name.len + 1 > COLUMNS_MAX)
		draft_gap(draft, name.len + 1);
	draft_add(draft, name);
}

static void draft_h(struct draft *draft, const struct dkim_plan_params *params,
		    const struct order *order)
{
	bool first = true;

	for (size_t i = 0; i < order->shared_count; i++, first = false)
		draft_h_name(draft, params->fields[order->shared[i]].name, first);
	for (size_t i = 0; i < order->late_count; i++, first = false)
		draft_h_name(draft, params->fields[order->late[i]].name, first);
	for (size_t i = 0; i < array_count(oversigned); i++)
		draft_h_name(draft, slice_of(oversigned[i]), false);
	draft_add(draft, SLICE(";"));
}

/* The room for b= begins on a line of its own and is folded every DKIM_B_LINE characters. */
static void draft_b(struct draft *draft, struct dkim_signature *signature)
{
	struct buf *sent = &draft->sent->text;

	signature->b_length = (u32)base64_length(
		crypto_key_signature_size(signature->key->private_key));
	draft_gap(draft, COLUMNS_MAX);
	draft_add(draft, SLICE("b="));
	signature->b_at = (u32)sent->len;
	for (u32 i = 0; i < signature->b_length; i++) {
		if (i > 0 && i % DKIM_B_LINE == 0)
			buf_add_text(sent, DKIM_FOLD);
		buf_add_char(sent, ' ');
	}
	buf_add_text(sent, "\r\n");
}

static bool signature_make(struct dkim_signature *signature, const struct dkim_key *key,
			   const struct dkim_plan_params *params, const struct order *order)
{
	char blank[DKIM_BH_LENGTH];
	bool rsa = crypto_key_algorithm(key->private_key) == CRYPTO_RSA;
	bool simple = params->body_canon == DKIM_SIMPLE;
	struct dkim_template *sent = &signature->sent;
	struct dkim_template *hashed = &signature->hashed;
	struct draft draft = { .sent = sent, .hashed = hashed };

	signature->key = key;
	memset(blank, '0', sizeof(blank));
	buf_add_text(&sent->text, "DKIM-Signature: v=1;");
	buf_add_text(&hashed->text, "dkim-signature:v=1;");
	draft.column = sent->text.len;
	draft_tag(&draft, "a", rsa ? SLICE("rsa-sha256") : SLICE("ed25519-sha256"));
	draft_tag(&draft, "c", simple ? SLICE("relaxed/simple") : SLICE("relaxed/relaxed"));
	draft_tag(&draft, "d", slice_of(key->domain));
	draft_tag(&draft, "s", slice_of(key->selector));
	draft_place(&draft, "t", (struct slice){ blank, DKIM_TIME_DIGITS }, &sent->time_at,
		    &hashed->time_at);
	sent->expire_at = hashed->expire_at = DKIM_NO_PLACE;
	if (params->expire_s > 0)
		draft_place(&draft, "x", (struct slice){ blank, DKIM_TIME_DIGITS },
			    &sent->expire_at, &hashed->expire_at);
	draft_h(&draft, params, order);
	draft_place(&draft, "bh", (struct slice){ blank, sizeof(blank) }, &sent->bh_at,
		    &hashed->bh_at);
	draft_b(&draft, signature);
	return !sent->text.failed && !hashed->text.failed;
}

/* Room for all texts is there, so that the slices stay good. */
static void plan_add_late(struct dkim_plan *plan, const struct dkim_plan_params *params, size_t at)
{
	const struct dkim_field *field = &params->fields[at];
	struct dkim_late *late = &plan->late[plan->late_count++];
	size_t begin = plan->texts.len;

	late->value_index = DKIM_LITERAL;
	if (field->value.ptr) {
		dkim_header_canonical(&plan->texts, DKIM_RELAXED, field->name, field->value);
	} else {
		buf_add_slice(&plan->texts, field->name);
		late->value_index = 0;
		for (size_t i = 0; i < at; i++)
			late->value_index += !params->fields[i].value.ptr;
	}
	late->text = (struct slice){ plan->texts.ptr + begin, plan->texts.len - begin };
}

static bool plan_take_fields(struct dkim_plan *plan, const struct dkim_plan_params *params,
			     const struct order *order)
{
	size_t room = 1;

	for (size_t i = 0; i < params->field_count; i++) {
		room += params->fields[i].name.len + params->fields[i].value.len + sizeof(":\r\n");
		plan->value_count += !params->fields[i].value.ptr;
	}
	buf_init(&plan->texts, room);
	if (!buf_reserve(&plan->texts, room))
		return false;
	sha256_init(&plan->shared);
	for (size_t i = 0; i < order->shared_count; i++) {
		const struct dkim_field *field = &params->fields[order->shared[i]];

		dkim_header_hash(&plan->shared, DKIM_RELAXED, field->name, field->value);
	}
	for (size_t i = 0; i < order->late_count; i++)
		plan_add_late(plan, params, order->late[i]);
	return true;
}

struct dkim_plan *dkim_plan_make(const struct dkim_plan_params *params, struct error *error)
{
	struct order order;
	struct dkim_plan *plan;

	ASSERT(params->key_count >= 1 && params->key_count <= DKIM_KEYS_MAX);
	if (!check_from(params, error) || !order_fields(&order, params, error))
		return NULL;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		goto no_memory;
	plan->expire_s = params->expire_s;
	for (size_t i = 0; i < params->key_count; i++) {
		struct dkim_signature *signature = &plan->signatures[plan->signature_count++];

		buf_init(&signature->sent.text, TEMPLATE_MAX);
		buf_init(&signature->hashed.text, TEMPLATE_MAX);
		if (!signature_make(signature, params->keys[i], params, &order))
			goto no_memory;
		plan->header_length += signature->sent.text.len;
	}
	if (plan_take_fields(plan, params, &order))
		return plan;
no_memory:
	error_set(error, "no memory for the DKIM-Signature field");
	dkim_plan_free(plan);
	return NULL;
}

void dkim_plan_free(struct dkim_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->signature_count; i++) {
		buf_done(&plan->signatures[i].sent.text);
		buf_done(&plan->signatures[i].hashed.text);
	}
	buf_done(&plan->texts);
	free(plan);
}

size_t dkim_plan_header_max(const struct dkim_plan *plan)
{
	return plan->header_length;
}
