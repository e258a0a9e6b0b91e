#include "control/request.h"

#include "base/text.h"

#include <string.h>

static const char *const code_names[] = {
	[CONTROL_BAD_REQUEST] = "bad-request",
	[CONTROL_NOT_FOUND] = "not-found",
	[CONTROL_CONFLICT] = "conflict",
	[CONTROL_REFUSED_CONTENT] = "refused-content",
	[CONTROL_FULL] = "full",
	[CONTROL_FAILED] = "failed",
	[CONTROL_FORBIDDEN] = "forbidden",
};

const char *const control_outcome_names[CONTROL_OUTCOME_COUNT] = {
	"delivered", "failed",   "cancelled",  "queued",       "held",       "expired",
	"deferred",  "in-doubt", "bounced", "complained", "unsubscribed", "auto-reply",
};

const char *control_code_name(enum control_code code)
{
	return code_names[code];
}

/* ---- reading ---- */

json_t *control_json_parse(struct slice payload, struct error *error)
{
	json_error_t problem;
	json_t *json = json_loadb(payload.ptr ? payload.ptr : "", payload.len,
				  JSON_REJECT_DUPLICATES, &problem);

	if (!json) {
		error_set(error, "not JSON: %s (byte %d)", problem.text, problem.position);
		return NULL;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		error_set(error, "the JSON is not an object");
		return NULL;
	}
	return json;
}

bool control_request_parse(struct control_request *request, struct slice payload,
			   struct error *error)
{
	*request = (struct control_request){ .json = control_json_parse(payload, error) };
	if (!request->json)
		return error_prefix(error, "request");
	request->command = json_string_value(json_object_get(request->json, "command"));
	if (!request->command) {
		control_request_done(request);
		return error_set(error, "request: no text \"command\"");
	}
	return true;
}

void control_request_done(struct control_request *request)
{
	json_decref(request->json);
	*request = (struct control_request){ 0 };
}

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
		return json_integer_value(value) < 0 ? "a negative number" : "a number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static bool arg_store(const struct control_arg *arg, json_t *value)
{
	switch (arg->kind) {
	case CONTROL_TEXT:
		if (!json_is_string(value))
			return false;
		*(const char **)arg->out = json_string_value(value);
		return true;
	case CONTROL_NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return false;
		*(u64 *)arg->out = (u64)json_integer_value(value);
		return true;
	case CONTROL_FLAG:
		if (!json_is_boolean(value))
			return false;
		*(bool *)arg->out = json_is_true(value);
		return true;
	case CONTROL_JSON:
		break;
	}
	*(json_t **)arg->out = value;
	return true;
}

static bool arg_read(const json_t *object, const char *command, const struct control_arg *arg,
		     struct error *error)
{
	static const char *const kinds[] = { "text", "a number", "true or false", "a value" };
	json_t *value = json_object_get(object, arg->name);

	if (!value || json_is_null(value)) {
		if (arg->is_needed)
			return error_set(error, "%s: \"%s\" is missing", command, arg->name);
		return true;
	}
	if (!arg_store(arg, value))
		return error_set(error, "%s: \"%s\" must be %s, not %s", command, arg->name,
				 kinds[arg->kind], type_name(value));
	return true;
}

static bool key_is_known(const char *key, const struct control_arg *args, size_t count)
{
	if (strcmp(key, "command") == 0)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(key, args[i].name) == 0)
			return true;
	}
	return false;
}

bool control_read(const json_t *object, const char *command, const struct control_arg *args,
		  size_t count, struct error *error)
{
	const char *key;
	json_t *value;

	/* The cast: jansson's iterator takes no const, and changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		if (!key_is_known(key, args, count))
			return error_set(error, "%s: unknown key \"%.64s\"", command, key);
	}
	for (size_t i = 0; i < count; i++) {
		if (!arg_read(object, command, &args[i], error))
			return false;
	}
	return true;
}

int control_word(const char *text, const char *command, const char *name, const char *const *words,
		 size_t count, struct error *error)
{
	char list[ERROR_TEXT_MAX / 2] = "";
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(words[i]);

		if (strcmp(text, words[i]) == 0)
			return (int)i;
		if (len + n + 3 > sizeof(list))
			continue;
		if (i > 0)
			list[len++] = ',', list[len++] = ' ';
		memcpy(list + len, words[i], n + 1);
		len += n;
	}
	error_set(error, "%s: \"%s\" is \"%.64s\", must be one of %s", command, name, text, list);
	return -1;
}

/* ---- what most commands name ---- */

static bool campaign_ref_check(const char *command, bool may_be_none,
			       const struct control_campaign_ref *ref, struct error *error)
{
	if (ref->id && ref->name)
		return error_set(error, "%s: give \"id\" or \"name\", not both", command);
	if (!ref->id && !ref->name && !may_be_none)
		return error_set(error, "%s: \"id\" or \"name\" is missing", command);
	if (ref->id > UINT32_MAX)
		return error_set(error, "%s: no campaign has so high an id", command);
	return true;
}

bool control_read_campaign(const struct control_request *request, bool may_be_none,
			   struct control_campaign_ref *ref, struct error *error)
{
	const struct control_arg args[] = {
		{ "id", CONTROL_NUMBER, false, &ref->id },
		{ "name", CONTROL_TEXT, false, &ref->name },
	};

	*ref = (struct control_campaign_ref){ 0 };
	return control_read(request->json, request->command, args, array_count(args), error) &&
	       campaign_ref_check(request->command, may_be_none, ref, error);
}

/* The selectors in the order of their bits; PAGE and ROWS follow. */
static const char *const selector_names[] = { "campaign", "domain", "address", "site", "all" };

static u32 selection_given(const struct control_selection *s)
{
	return (s->campaign ? SELECT_CAMPAIGN : 0) | (s->domain ? SELECT_DOMAIN : 0) |
	       (s->address ? SELECT_ADDRESS : 0) | (s->site ? SELECT_SITE : 0) |
	       (s->all ? SELECT_ALL : 0);
}

static bool selection_check(const char *command, u32 must, const struct control_selection *s,
			    struct error *error)
{
	char list[96] = "";
	size_t len = 0;

	if (must == 0 || (selection_given(s) & must))
		return true;
	for (size_t i = 0; i < array_count(selector_names); i++) {
		size_t n = strlen(selector_names[i]);

		if (!(must & (1u << i)))
			continue;
		if (len > 0)
			list[len++] = ',', list[len++] = ' ';
		memcpy(list + len, selector_names[i], n + 1);
		len += n;
	}
	return error_set(error, "%s: say what is meant: one of %s", command, list);
}

bool control_read_selection(const struct control_request *request, u32 may, u32 must,
			    struct control_selection *selection, struct error *error)
{
	const struct {
		u32 bit;
		struct control_arg arg;
	} known[] = {
		{ SELECT_CAMPAIGN, { "campaign", CONTROL_TEXT, false, &selection->campaign } },
		{ SELECT_DOMAIN, { "domain", CONTROL_TEXT, false, &selection->domain } },
		{ SELECT_ADDRESS, { "address", CONTROL_TEXT, false, &selection->address } },
		{ SELECT_SITE, { "site", CONTROL_TEXT, false, &selection->site } },
		{ SELECT_ALL, { "all", CONTROL_FLAG, false, &selection->all } },
		{ SELECT_ACTION, { "action", CONTROL_TEXT, true, &selection->action } },
		{ SELECT_PAGE, { "after", CONTROL_TEXT, false, &selection->after } },
		{ SELECT_PAGE, { "limit", CONTROL_NUMBER, false, &selection->limit } },
		{ SELECT_ROWS, { "rows", CONTROL_FLAG, false, &selection->rows } },
	};
	struct control_arg args[array_count(known)];
	size_t count = 0;

	*selection = (struct control_selection){ 0 };
	for (size_t i = 0; i < array_count(known); i++) {
		if (may & known[i].bit)
			args[count++] = known[i].arg;
	}
	return control_read(request->json, request->command, args, count, error) &&
	       selection_check(request->command, must, selection, error);
}

static bool read_outcomes(const char *command, const json_t *list, u32 *outcomes,
			  struct error *error)
{
	*outcomes = 0;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return error_set(error, "%s: \"outcomes\" must be a list of words", command);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		int bit;

		if (!text)
			return error_set(error, "%s: \"outcomes\" must be a list of words",
					 command);
		bit = control_word(text, command, "outcomes", control_outcome_names,
				   CONTROL_OUTCOME_COUNT, error);
		if (bit < 0)
			return false;
		*outcomes |= 1u << bit;
	}
	return true;
}

bool control_read_report(const struct control_request *request, struct control_report *report,
			 struct error *error)
{
	json_t *outcomes = NULL;
	const struct control_arg args[] = {
		{ "id", CONTROL_NUMBER, false, &report->campaign.id },
		{ "name", CONTROL_TEXT, false, &report->campaign.name },
		{ "outcomes", CONTROL_JSON, false, &outcomes },
		{ "after", CONTROL_TEXT, false, &report->after },
		{ "limit", CONTROL_NUMBER, false, &report->limit },
	};

	*report = (struct control_report){ .outcomes = OUTCOME_EVERY_ROW };
	if (!control_read(request->json, request->command, args, array_count(args), error) ||
	    !campaign_ref_check(request->command, false, &report->campaign, error))
		return false;
	return !outcomes || read_outcomes(request->command, outcomes, &report->outcomes, error);
}

/* ---- answers ---- */

bool control_add_json(struct buf *out, enum frame_type type, json_t *json)
{
	bool is_done = false;
	size_t begin;
	size_t len;
	char *room;

	if (!json)
		return false;
	begin = frame_begin(out, type);
	len = json_dumpb(json, NULL, 0, JSON_COMPACT);
	room = len > 0 && len <= FRAME_PAYLOAD_MAX ? buf_reserve(out, len) : NULL;
	if (room && json_dumpb(json, room, len, JSON_COMPACT) == len) {
		buf_advance(out, len);
		is_done = frame_end(out, begin);
	} else {
		out->len = begin;
	}
	json_decref(json);
	return is_done;
}

bool control_add_error(struct buf *out, enum control_code code, const char *sentence)
{
	char text[ERROR_TEXT_MAX];
	json_t *words = json_string(sentence);

	/* A sentence may quote what a peer or a file sent, which need not be UTF-8. */
	if (!words) {
		slice_copy(text, sizeof(text), slice_of(sentence));
		for (char *at = text; *at; at++) {
			if ((u8)*at >= 0x80)
				*at = '?';
		}
		words = json_string(text);
	}
	return control_add_json(out, FRAME_ERROR, json_pack("{s:o, s:s}", "error", words, "code",
							    control_code_name(code)));
}
