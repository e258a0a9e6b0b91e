#include "control/campaign.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char command_name[] = "campaign.create";
static const char *const charsets[] = { "utf-8", "iso-2022-jp" };
static const char *const encodings[] = { "auto", "8bit" };
static const char *const doubt_policies[] = { "resend", "hold" };
static const char *const kinds[] = { "bulk", "transactional" };
static const char *const sources[] = { "whole", "parts" };
/* By tag. */
static const char *const part_names[] = { NULL, "whole", "headers", "text", "html" };

/* ---- arguments ---- */

static bool name_check(const char *name, struct error *error)
{
	bool is_number = true;

	if (!*name || strlen(name) > CONTROL_NAME_MAX)
		return error_set(error, "%s: \"name\" must have 1 to %d bytes", command_name,
				 CONTROL_NAME_MAX);
	for (const char *at = name; *at; at++) {
		if ((u8)*at < ' ' || *at == 0x7f)
			return error_set(error, "%s: \"name\" has a control byte", command_name);
		is_number &= ascii_is_digit(*at);
	}
	if (is_number)
		return error_set(error, "%s: \"name\" is a number; numbers are ids", command_name);
	return true;
}

static bool column_check(const char *command, const char *name, struct error *error)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && name[i] != '_' &&
		    name[i] != '-')
			len = 0;
	}
	if (len == 0 || len > 64)
		return error_set(
			error,
			"%s: column \"%.64s\": names have 1 to 64 of letters, digits, - and _",
			command, name);
	return true;
}

static bool read_columns(struct control_campaign_create *create, const json_t *list,
			 struct error *error)
{
	if (!json_is_array(list))
		return error_set(error, "%s: \"columns\" must be a list of names", create->command);
	if (json_array_size(list) > CONTROL_COLUMNS_MAX)
		return error_set(error, "%s: more than %d columns", create->command,
				 CONTROL_COLUMNS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name)
			return error_set(error, "%s: \"columns\" must be a list of names",
					 create->command);
		if (!column_check(create->command, name, error))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (strcmp(create->columns[k], name) == 0)
				return error_set(error, "%s: column \"%s\" comes twice",
						 create->command, name);
		}
		create->columns[i] = name;
		create->column_count = i + 1;
	}
	return true;
}

static bool sizes_check(const struct control_campaign_create *create, struct error *error)
{
	const u64 *sizes = create->sizes;
	u64 total = 0;

	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++) {
		if (sizes[tag] > CONTROL_TEMPLATE_MAX - total)
			return error_set(error, "%s: the template has more than %u bytes",
					 create->command, CONTROL_TEMPLATE_MAX);
		total += sizes[tag];
	}
	if (create->source == CONTROL_SOURCE_WHOLE) {
		if (!sizes[CONTROL_DATA_WHOLE] || total != sizes[CONTROL_DATA_WHOLE])
			return error_set(error, "%s: source \"whole\" needs the size of whole only",
					 create->command);
		return true;
	}
	if (sizes[CONTROL_DATA_WHOLE] || !sizes[CONTROL_DATA_HEADERS] ||
	    (!sizes[CONTROL_DATA_TEXT] && !sizes[CONTROL_DATA_HTML]))
		return error_set(error,
				 "%s: source \"parts\" needs sizes of headers and of text or html",
				 create->command);
	return true;
}

static bool read_source(struct control_campaign_create *create, const json_t *source,
			struct error *error)
{
	const char *kind = NULL;
	const struct control_arg args[] = {
		{ "kind", CONTROL_TEXT, true, &kind },
		{ "name", CONTROL_TEXT, false, &create->source_name },
		{ "whole", CONTROL_NUMBER, false, &create->sizes[CONTROL_DATA_WHOLE] },
		{ "headers", CONTROL_NUMBER, false, &create->sizes[CONTROL_DATA_HEADERS] },
		{ "text", CONTROL_NUMBER, false, &create->sizes[CONTROL_DATA_TEXT] },
		{ "html", CONTROL_NUMBER, false, &create->sizes[CONTROL_DATA_HTML] },
	};
	char text[64];
	int index;

	if (!json_is_object(source))
		return error_set(error, "%s: \"source\" must be an object", create->command);
	snprintf(text, sizeof(text), "%s: source", create->command);
	if (!control_read(source, text, args, array_count(args), error))
		return false;
	index = control_word(kind, create->command, "kind", sources, array_count(sources), error);
	create->source = (enum control_source)index;
	return index >= 0 && sizes_check(create, error);
}

static bool words_check(const struct control_campaign_create *create, struct error *error)
{
	return control_word(create->kind, create->command, "kind", kinds, array_count(kinds),
			    error) >= 0 &&
	       control_word(create->charset, create->command, "charset", charsets,
			    array_count(charsets), error) >= 0 &&
	       control_word(create->encoding, create->command, "encoding", encodings,
			    array_count(encodings), error) >= 0;
}

static bool list_check(const char *list, struct error *error)
{
	if (list && (!*list || strlen(list) > CONTROL_NAME_MAX))
		return error_set(error, "%s: \"list\" must have 1 to %d bytes", command_name,
				 CONTROL_NAME_MAX);
	for (const char *at = list; at && *at; at++) {
		if ((u8)*at < ' ' || *at == 0x7f)
			return error_set(error, "%s: \"list\" has a control byte", command_name);
	}
	return true;
}

bool control_read_source(struct control_campaign_create *create, const json_t *source,
			 const json_t *columns, struct error *error)
{
	return words_check(create, error) && read_source(create, source, error) &&
	       (!columns || read_columns(create, columns, error));
}

bool control_read_create(const struct control_request *request,
			 struct control_campaign_create *create, struct error *error)
{
	const char *doubt_policy = doubt_policies[0];
	json_t *source = NULL;
	json_t *columns = NULL;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, &create->name },
		{ "customer", CONTROL_TEXT, true, &create->customer },
		{ "source", CONTROL_JSON, true, &source },
		{ "columns", CONTROL_JSON, true, &columns },
		{ "charset", CONTROL_TEXT, false, &create->charset },
		{ "encoding", CONTROL_TEXT, false, &create->encoding },
		{ "doubt_policy", CONTROL_TEXT, false, &doubt_policy },
		{ "expire_ms", CONTROL_NUMBER, false, &create->expire_ms },
		{ "deadline_ms", CONTROL_NUMBER, false, &create->deadline_ms },
		{ "require_unsubscribe", CONTROL_FLAG, false, &create->require_unsubscribe },
		{ "kind", CONTROL_TEXT, false, &create->kind },
		{ "open", CONTROL_FLAG, false, &create->is_open },
		{ "list", CONTROL_TEXT, false, &create->list },
		{ "unsubscribe_url", CONTROL_TEXT, false, &create->unsubscribe_url },
		{ "unsubscribe_mailto", CONTROL_TEXT, false, &create->unsubscribe_mailto },
	};
	int policy;

	*create = (struct control_campaign_create){ .command = command_name,
						    .charset = charsets[0],
						    .encoding = encodings[0],
						    .kind = kinds[0],
						    .require_unsubscribe = true };
	if (!control_read(request->json, command_name, args, array_count(args), error) ||
	    !name_check(create->name, error) || !list_check(create->list, error) ||
	    !control_read_source(create, source, columns, error))
		return false;
	policy = control_word(doubt_policy, command_name, "doubt_policy", doubt_policies,
			      array_count(doubt_policies), error);
	create->is_doubt_held = policy == 1;
	return policy >= 0;
}

json_t *control_source_json(const struct control_campaign_create *create)
{
	json_t *source = json_pack("{s:s, s:s*}", "kind", sources[create->source], "name",
				   create->source_name);

	for (size_t tag = 1; source && tag <= CONTROL_DATA_PARTS; tag++) {
		if (create->sizes[tag] > 0 &&
		    json_object_set_new(source, part_names[tag],
					json_integer((json_int_t)create->sizes[tag])) < 0) {
			json_decref(source);
			return NULL;
		}
	}
	return source;
}

json_t *control_columns_json(const struct control_campaign_create *create)
{
	json_t *columns = json_array();

	for (size_t i = 0; columns && i < create->column_count; i++) {
		if (json_array_append_new(columns, json_string(create->columns[i])) < 0) {
			json_decref(columns);
			return NULL;
		}
	}
	return columns;
}

static bool set_time(json_t *json, const char *name, u64 ms)
{
	return ms == 0 || json_object_set_new(json, name, json_integer((json_int_t)ms)) == 0;
}

json_t *control_create_json(const struct control_campaign_create *create)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:s*, s:s*, s:s, s:b, s:s*, s:s*, s:s*,"
				 " s:s*}",
				 "command", command_name, "name", create->name, "customer",
				 create->customer, "source", control_source_json(create), "columns",
				 control_columns_json(create), "charset", create->charset,
				 "encoding", create->encoding, "doubt_policy",
				 doubt_policies[create->is_doubt_held], "require_unsubscribe",
				 create->require_unsubscribe, "kind", create->kind, "list",
				 create->list, "unsubscribe_url",
				 create->unsubscribe_url, "unsubscribe_mailto",
				 create->unsubscribe_mailto);

	if (json && ((create->is_open && json_object_set_new(json, "open", json_true()) < 0) ||
		     !set_time(json, "expire_ms", create->expire_ms) ||
		     !set_time(json, "deadline_ms", create->deadline_ms))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

bool control_read_append(const struct control_request *request,
			 struct control_campaign_append *append, struct error *error)
{
	const struct control_arg args[] = {
		{ "id", CONTROL_NUMBER, true, &append->id },
		{ "after", CONTROL_NUMBER, true, &append->after },
		{ "cursor", CONTROL_NUMBER, true, &append->cursor },
	};

	*append = (struct control_campaign_append){ 0 };
	if (!control_read(request->json, request->command, args, array_count(args), error))
		return false;
	if (append->id > UINT32_MAX || append->cursor <= append->after)
		return error_set(error, "%s: \"cursor\" must be beyond \"after\"",
				 request->command);
	return true;
}

/* ---- DATA ---- */

bool control_data_open(struct slice payload, enum control_data_tag *tag, struct slice *bytes,
		       struct error *error)
{
	u32 value = payload.len > 0 ? (u8)payload.ptr[0] : 0;

	if (value < CONTROL_DATA_WHOLE || value > CONTROL_DATA_RECIPIENTS)
		return error_set(error, "%s: DATA with unknown tag %u", command_name, value);
	*tag = (enum control_data_tag)value;
	*bytes = slice_from(payload, 1);
	return true;
}

void control_counted_add(struct buf *batch, struct slice s)
{
	buf_add_char(batch, (char)(s.len >> 8));
	buf_add_char(batch, (char)s.len);
	buf_add_slice(batch, s);
}

void control_row_add(struct buf *batch, struct slice address, struct slice values)
{
	ASSERT(address.len > 0 && address.len <= CONTROL_ADDRESS_MAX);
	ASSERT(values.len <= CONTROL_VALUES_MAX);
	control_counted_add(batch, address);
	control_counted_add(batch, values);
}

bool control_counted_take(struct slice *rest, struct slice *out)
{
	size_t len;

	if (rest->len < 2)
		return false;
	len = (size_t)(u8)rest->ptr[0] << 8 | (u8)rest->ptr[1];
	*rest = slice_from(*rest, 2);
	if (rest->len < len)
		return false;
	*out = slice_first(*rest, len);
	*rest = slice_from(*rest, len);
	return true;
}

enum control_row_result control_row_take(struct slice *rest, struct slice *address,
					 struct slice *values)
{
	if (rest->len == 0)
		return CONTROL_ROWS_END;
	if (!control_counted_take(rest, address) || !control_counted_take(rest, values) ||
	    address->len == 0 ||
	    address->len > CONTROL_ADDRESS_MAX)
		return CONTROL_ROWS_BAD;
	return CONTROL_ROW;
}
