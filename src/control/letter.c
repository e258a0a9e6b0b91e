#include "control/letter.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

static const char command_name[] = "letter.send";
static const char *const kinds[] = { "submitted", "forward", "report", "notice" };
static const char *const rets[] = { "full", "hdrs" };

static bool text_check(const char *text, const char *name, size_t max, bool may_be_empty,
		       struct error *error)
{
	if (!text)
		return true;
	if ((!*text && !may_be_empty) || strlen(text) > max)
		return error_set(error, "%s: \"%s\" must have %d to %zu bytes", command_name, name,
				 !may_be_empty, max);
	for (const char *at = text; *at; at++) {
		if ((u8)*at < ' ' || *at == 0x7f)
			return error_set(error, "%s: \"%s\" has a control byte", command_name,
					 name);
	}
	return true;
}

static bool check(const struct control_letter *letter, struct error *error)
{
	return text_check(letter->key, "key", CONTROL_KEY_MAX, false, error) &&
	       text_check(letter->sender, "sender", CONTROL_SENDER_MAX, true, error) &&
	       text_check(letter->envid, "envid", CONTROL_ENVID_MAX, true, error) &&
	       control_word(letter->kind, command_name, "kind", kinds, array_count(kinds),
			    error) >= 0 &&
	       (!letter->ret || control_word(letter->ret, command_name, "ret", rets,
					     array_count(rets), error) >= 0);
}

bool control_read_letter(const struct control_request *request, struct control_letter *letter,
			 struct error *error)
{
	struct control_campaign_create *content = &letter->content;
	json_t *source = NULL;
	json_t *columns = NULL;
	const struct control_arg args[] = {
		{ "key", CONTROL_TEXT, true, &letter->key },
		{ "customer", CONTROL_TEXT, true, &content->customer },
		{ "kind", CONTROL_TEXT, false, &letter->kind },
		{ "sender", CONTROL_TEXT, false, &letter->sender },
		{ "envid", CONTROL_TEXT, false, &letter->envid },
		{ "ret", CONTROL_TEXT, false, &letter->ret },
		{ "literal", CONTROL_FLAG, false, &letter->is_literal },
		{ "source", CONTROL_JSON, true, &source },
		{ "columns", CONTROL_JSON, false, &columns },
		{ "charset", CONTROL_TEXT, false, &content->charset },
		{ "encoding", CONTROL_TEXT, false, &content->encoding },
		{ "expire_ms", CONTROL_NUMBER, false, &content->expire_ms },
		{ "require_unsubscribe", CONTROL_FLAG, false, &content->require_unsubscribe },
		{ "unsubscribe_url", CONTROL_TEXT, false, &content->unsubscribe_url },
		{ "unsubscribe_mailto", CONTROL_TEXT, false, &content->unsubscribe_mailto },
	};

	*letter = (struct control_letter){ .kind = kinds[0] };
	*content = (struct control_campaign_create){ .command = command_name,
						     .charset = "utf-8",
						     .encoding = "auto",
						     .kind = "transactional" };
	return control_read(request->json, command_name, args, array_count(args), error) &&
	       check(letter, error) && control_read_source(content, source, columns, error);
}

json_t *control_letter_json(const struct control_letter *letter)
{
	const struct control_campaign_create *content = &letter->content;
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:o, s:o, s:s, s:s, s:b, s:s*, s:s*}",
		"command", command_name, "key", letter->key, "customer", content->customer, "kind",
		letter->kind, "sender", letter->sender, "envid", letter->envid, "ret", letter->ret,
		"literal", letter->is_literal, "source", control_source_json(content), "columns",
		control_columns_json(content), "charset", content->charset, "encoding",
		content->encoding, "require_unsubscribe", content->require_unsubscribe,
		"unsubscribe_url", content->unsubscribe_url, "unsubscribe_mailto",
		content->unsubscribe_mailto);

	if (json && content->expire_ms > 0 &&
	    json_object_set_new(json, "expire_ms",
				json_integer((json_int_t)content->expire_ms)) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* ---- recipients ---- */

void control_recipient_add(struct buf *batch, const struct control_recipient *r)
{
	ASSERT(r->address.len > 0 && r->address.len <= CONTROL_ADDRESS_MAX);
	ASSERT(r->orcpt.len <= CONTROL_ORCPT_MAX && r->values.len <= CONTROL_VALUES_MAX);
	buf_add_char(batch, (char)r->notify);
	control_counted_add(batch, r->address);
	control_counted_add(batch, r->orcpt);
	control_counted_add(batch, r->values);
}

enum control_row_result control_recipient_take(struct slice *rest, struct control_recipient *r)
{
	if (rest->len == 0)
		return CONTROL_ROWS_END;
	r->notify = (u8)rest->ptr[0];
	*rest = slice_from(*rest, 1);
	if (!control_counted_take(rest, &r->address) || !control_counted_take(rest, &r->orcpt) ||
	    !control_counted_take(rest, &r->values) || r->address.len == 0 ||
	    r->address.len > CONTROL_ADDRESS_MAX || r->orcpt.len > CONTROL_ORCPT_MAX ||
	    r->notify > 15)
		return CONTROL_ROWS_BAD;
	return CONTROL_ROW;
}
