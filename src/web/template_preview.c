#include "web/template_preview.h"

#include "base/text.h"
#include "message/html_text.h"
#include "message/preheader.h"
#include "store/row_values.h"
#include "web/image_review.h"
#include "web/list_json.h"
#include "web/mailing_review.h"
#include "web/setting.h"
#include "web/stored_block.h"

#include <stdlib.h>

#define ARENA_CHUNK (64u << 10)
#define ARENA_MAX (256u << 20)
#define FROM_MAX 2500
#define HEADERS_MAX (16u << 10)
#define VALUES_MAX (128u << 10)
#define COLUMNS_MAX 256
#define SOMEBODY "preview@example.com" /* when the settings name no sender */

void template_from(struct audience_txn *txn, struct buf *from)
{
	struct slice name = setting_get(txn, SETTING_FROM_NAME);
	struct slice address = setting_get(txn, SETTING_FROM_ADDRESS);

	if (address.len > 0 && name.len > 0)
		buf_add_format(from, "%.*s <%.*s>", SLICE_FMT(name), SLICE_FMT(address));
	else
		buf_add_slice(from, address);
}

bool template_campaign(struct audience_txn *txn, const struct template_look *look,
		       struct buf *packed, struct audience_campaign *campaign)
{
	struct slice subject = look->of[AUDIENCE_TEMPLATE_SUBJECT];
	struct draft draft = { 0 };
	struct buf from;

	buf_init(&from, FROM_MAX);
	template_from(txn, &from);
	for (u32 i = 0; i < DRAFT_FIELDS; i++)
		draft.of[i] = SLICE("");
	draft.of[DRAFT_NAME] = look->name.len > 0 ? look->name : SLICE("-");
	draft.of[DRAFT_FROM] = from.len > 0 ? buf_slice(&from) : SLICE(SOMEBODY);
	draft.of[DRAFT_SUBJECT] = slice_trim(subject).len > 0 ? subject : SLICE("-");
	draft.of[DRAFT_PREHEADER] = look->of[AUDIENCE_TEMPLATE_PREHEADER];
	draft.of[DRAFT_HTML] = look->of[AUDIENCE_TEMPLATE_HTML];
	draft.of[DRAFT_TEXT] = look->of[AUDIENCE_TEMPLATE_TEXT];
	draft_pack(&draft, packed);
	buf_done(&from);
	*campaign = (struct audience_campaign){ .state = AUDIENCE_CAMPAIGN_DRAFT,
						.customer = SLICE(""),
						.reason = SLICE(""),
						.last = UINT32_MAX,
						.draft = buf_slice(packed) };
	return !packed->failed;
}

/* ---- for contacts ---- */

static bool look_as_contact(struct call *call, const struct template_look *look,
			    struct template_preview *preview)
{
	struct audience_campaign campaign;
	struct contact nobody;
	struct buf draft;
	bool ok;

	/* With the contact's values; the pages behind the links are nobody's. */
	if (look->contact) {
		nobody = *look->contact;
		nobody.id = 0;
	}
	buf_init(&draft, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	ok = template_campaign(call->web->reader, look, &draft, &campaign);
	if (ok)
		preview->mail = mailing_preview_make(call, &campaign,
						     look->contact ? &nobody : NULL, &ok);
	if (!preview->mail)
		ok = error_set(&preview->error, "no memory");
	else if (!ok)
		preview->error = preview->mail->error;
	else
		preview->message = preview->mail->message;
	if (ok && look->kind != AUDIENCE_TEMPLATE_BLOCK) {
		/* The draft got a subject so that it can be looked at at all. */
		preview->mail->rows.draft.of[DRAFT_SUBJECT] = look->of[AUDIENCE_TEMPLATE_SUBJECT];
		ok = mailing_review_make(call, preview->mail, &preview->review) ||
		     error_set(&preview->error, "no memory");
	}
	buf_done(&draft);
	return ok;
}

/* ---- with sample values ---- */

struct sample {
	struct template_preview *preview;
	struct slice html;
	struct slice text;
	struct slice columns[COLUMNS_MAX];
	struct slice values[COLUMNS_MAX];
	bool may_be_empty[COLUMNS_MAX];
	size_t count;
};

static bool fill_bodies(struct call *call, const struct template_look *look, struct sample *sample)
{
	struct template_preview *preview = sample->preview;
	struct slice preheader = look->of[AUDIENCE_TEMPLATE_PREHEADER];
	struct stored_blocks blocks;
	struct buf whole;
	bool ok = true;

	stored_blocks_init(&blocks, call->web->reader, &preview->arena);
	if (!stored_blocks_expand(&blocks, "html", look->of[AUDIENCE_TEMPLATE_HTML], true,
				  &sample->html, &preview->error) ||
	    !stored_blocks_expand(&blocks, "text", look->of[AUDIENCE_TEMPLATE_TEXT], false,
				  &sample->text, &preview->error))
		return false;
	buf_init(&whole, MESSAGE_TEMPLATE_MAX);
	if (sample->html.len > 0 && slice_trim(sample->text).len == 0) {
		ok = html_text_make(sample->html, &whole);
		sample->text = arena_copy_buf(&preview->arena, &whole);
		ok = ok && sample->text.ptr;
	}
	buf_reset(&whole);
	if (ok && sample->html.len > 0 && preheader.len > 0) {
		ok = preheader_add(sample->html, preheader, &whole);
		sample->html = arena_copy_buf(&preview->arena, &whole);
		ok = ok && sample->html.ptr;
	}
	buf_done(&whole);
	return ok || error_set(&preview->error, "no memory");
}

static bool add_value(struct sample *sample, const char *name, const json_t *value)
{
	struct arena *arena = &sample->preview->arena;
	struct slice made = { json_string_value(value), json_string_length(value) };
	struct buf out;

	if (sample->count == COLUMNS_MAX)
		return error_set(&sample->preview->error, "there are too many values");
	buf_init(&out, VALUES_MAX);
	if (json_is_string(value))
		buf_add_slice(&out, made);
	else if (json_is_object(value) || !list_json_pack(value, &out))
		out.failed = true;
	sample->columns[sample->count] = arena_copy(arena, slice_of(name));
	sample->values[sample->count] = arena_copy_buf(arena, &out);
	buf_done(&out);
	return (sample->columns[sample->count].ptr && sample->values[sample->count++].ptr) ||
	       error_set(&sample->preview->error,
			 "the value \"%.64s\" is neither text, number nor list, or it is too large",
			 name);
}

static bool fill_values(const struct template_look *look, struct sample *sample)
{
	struct slice text = look->of[AUDIENCE_TEMPLATE_SAMPLE];
	json_t *own = NULL;
	const char *name;
	json_t *value;
	bool ok = true;

	if (!look->values && slice_trim(text).len > 0) {
		own = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(own)) {
			json_decref(own);
			return error_set(&sample->preview->error,
					 "the sample values are no JSON object");
		}
	}
	json_object_foreach((json_t *)(uintptr_t)(own ? own : look->values), name, value) {
		ok = add_value(sample, name, value);
		if (!ok)
			break;
	}
	json_decref(own);
	return ok;
}

static bool review(struct call *call, const struct template_look *look, const struct sample *sample)
{
	struct audience_txn *txn = call->web->reader;
	struct template_preview *preview = sample->preview;
	struct image_review images = { .txn = txn, .config = &call->web->config->web };
	const struct review_input input = {
		.subject = look->of[AUDIENCE_TEMPLATE_SUBJECT],
		.text = sample->text,
		.html = sample->html,
		.columns = sample->columns,
		.column_count = sample->count,
		.may_be_empty = sample->may_be_empty,
		.makes_text = true,
		.is_transactional = true,
		.image = image_review_look,
		.owner = &images,
		.sender_name = setting_get(txn, SETTING_SENDER_NAME),
		.sender_address = setting_get(txn, SETTING_SENDER_ADDRESS),
		.sender_contact = setting_get(txn, SETTING_SENDER_CONTACT),
	};

	return review_message(&input, &preview->arena, &preview->review, &preview->error);
}

static bool compose(const struct template_look *look, const struct sample *sample)
{
	struct template_preview *preview = sample->preview;
	struct address address = { .local = "reader",
				   .domain = "example.com",
				   .local_len = 6,
				   .domain_len = 11 };
	const struct message_recipient recipient = { .address = &address,
						     .values = sample->values,
						     .value_count = sample->count,
						     .token = SLICE("preview") };
	const struct message_options options = { .columns = sample->columns,
						 .column_count = sample->count };
	struct message_source source = { .name = "mail",
					 .text = sample->text,
					 .html = sample->html };
	struct slice subject = look->of[AUDIENCE_TEMPLATE_SUBJECT];
	struct message *message;
	struct buf headers;
	bool ok;

	buf_init(&headers, HEADERS_MAX);
	buf_add_format(&headers, "From: " SOMEBODY "\nSubject: %.*s\n",
		       SLICE_FMT(slice_trim(subject).len > 0 ? subject : SLICE("-")));
	source.headers = buf_slice(&headers);
	message = headers.failed ? NULL
				 : message_compile(&source, &options, &preview->error);
	ok = message && message_preview(message, &recipient, &preview->arena, &preview->message,
					&preview->error) == MESSAGE_OK;
	message_free(message);
	buf_done(&headers);
	return ok;
}

static bool look_with_sample(struct call *call, const struct template_look *look,
			     struct template_preview *preview)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	const char *base = call->web->config->web.url;
	bool ok;

	if (!sample)
		return error_set(&preview->error, "no memory");
	sample->preview = preview;
	ok = fill_bodies(call, look, sample) && fill_values(look, sample) &&
	     review(call, look, sample) &&
	     mail_images_place(MAIL_IMAGE_LOCAL, slice_of(base ? base : ""), &preview->arena,
			       &sample->html, &preview->error) &&
	     compose(look, sample);
	free(sample);
	return ok;
}

struct template_preview *template_preview_make(struct call *call, const struct template_look *look,
					       bool *ok)
{
	struct template_preview *preview = calloc(1, sizeof(*preview));

	*ok = false;
	if (!preview)
		return NULL;
	arena_init(&preview->arena, ARENA_CHUNK, ARENA_MAX);
	if (slice_trim(look->of[AUDIENCE_TEMPLATE_HTML]).len == 0 &&
	    slice_trim(look->of[AUDIENCE_TEMPLATE_TEXT]).len == 0)
		error_set(&preview->error, "there is neither text nor HTML");
	else
		*ok = look->kind == AUDIENCE_TEMPLATE_PROGRAM
			      ? look_with_sample(call, look, preview)
			      : look_as_contact(call, look, preview);
	return preview;
}

void template_preview_free(struct template_preview *preview)
{
	if (!preview)
		return;
	mailing_preview_free(preview->mail);
	arena_done(&preview->arena);
	free(preview);
}

void template_preview_answer(struct call *call, const struct template_preview *preview)
{
	mailing_preview_show(call, &preview->message);
}
