#include "web/import_json.h"

#include "base/clock.h"
#include "base/text.h"
#include "campaign/import_guess.h"
#include "store/row_values.h"
#include "web/field.h"

#include <string.h>

static const char *const update_names[IMPORT_UPDATES] = {
	[IMPORT_ONLY_NEW] = "new",
	[IMPORT_FILLED] = "filled",
	[IMPORT_OVERWRITE] = "overwrite",
};

/* ---- as JSON ---- */

static void set_new(json_t *json, const struct import *import, u32 index)
{
	u16 type = import->columns[index].id;
	struct slice name;
	struct slice label;

	if (!import_new_name(import, index, &name, &label) || type >= ATTRIBUTE_TYPES)
		return;
	/* Its name is not the column's: that one has its own place. */
	json_object_update_new(json, json_pack("{s:s, s:o, s:s, s:o}", "target", "new",
					       "attribute", noun_text(name), "type",
					       attribute_type_names[type], "label_ja",
					       noun_text(label)));
}

static json_t *column_json(const struct import *import, u32 index, struct slice name,
			   const struct nouns *nouns)
{
	const struct import_column *column = &import->columns[index];
	const struct attribute *attribute = nouns_attribute(nouns, column->id);
	const struct audience_list *list = nouns_list(nouns, column->id);
	json_t *json = json_pack("{s:o}", "name", noun_text(name));

	if (column->target == IMPORT_EMAIL)
		json_object_set_new(json, "target", json_string("email"));
	else if (column->target == IMPORT_ATTRIBUTE && attribute)
		json_object_update_new(json, json_pack("{s:s, s:o}", "target", "attribute",
						       "attribute", noun_text(attribute->name)));
	else if (column->target == IMPORT_LIST && list)
		json_object_update_new(json, json_pack("{s:s, s:o}", "target", "list", "list",
						       noun_text(list->name)));
	else if (column->target == IMPORT_NEW)
		set_new(json, import, index);
	else if (column->target == IMPORT_STATE)
		json_object_set_new(json, "target", json_string("state"));
	else
		json_object_set_new(json, "target", json_string("ignore"));
	return json;
}

static json_t *columns_json(const struct import *import, const struct nouns *nouns)
{
	struct slice names[IMPORT_COLUMNS_MAX];
	json_t *columns = json_array();

	if (!row_values_unpack(import->header, names, IMPORT_COLUMNS_MAX))
		return columns;
	for (u32 i = 0; i < import->column_count; i++)
		json_array_append_new(columns, column_json(import, i, names[i], nouns));
	return columns;
}

static json_t *counts_json(const struct import_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
			 " s:I}",
			 "rows", (json_int_t)counts->rows, "added", (json_int_t)counts->added,
			 "updated", (json_int_t)counts->updated, "same", (json_int_t)counts->same,
			 "known", (json_int_t)counts->known, "bad", (json_int_t)counts->bad,
			 "duplicates", (json_int_t)counts->duplicates, "erased",
			 (json_int_t)counts->erased, "stopped", (json_int_t)counts->stopped, "odd",
			 (json_int_t)counts->odd, "values_bad", (json_int_t)counts->values_bad,
			 "reports", (json_int_t)counts->reports, "undone",
			 (json_int_t)counts->undone, "kept", (json_int_t)counts->kept,
			 "suppressed", (json_int_t)counts->suppressed);
}

static json_t *plan_json(const struct import *import, const struct nouns *nouns)
{
	json_t *lists = json_array();
	json_t *consent = json_null();

	if (!import->has_plan) {
		json_decref(lists);
		return json_null();
	}
	for (u32 i = 0; i < import->list_count; i++) {
		const struct audience_list *list = nouns_list(nouns, import->lists[i]);

		if (list)
			json_array_append_new(lists, noun_text(list->name));
	}
	if (import->consent_source.len > 0)
		consent = json_pack("{s:b, s:o, s:o, s:o}", "renews", (int)import->has_consent,
				    "source", noun_text(import->consent_source), "date",
				    noun_time(import->consent_ms), "text",
				    noun_text(import->consent_text));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "update",
			 import->update < IMPORT_UPDATES && update_names[import->update] ?
				 update_names[import->update] :
				 "new",
			 "suppressed", import->skips_suppressed ? "skip" : "keep",
			 "columns", columns_json(import, nouns), "lists", lists, "consent",
			 consent, "sequences", (int)import->starts_sequences);
}

json_t *import_json(const struct import *import, const struct nouns *nouns)
{
	char delimiter[2] = { import->delimiter, '\0' };

	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:s, s:s, s:o, s:o, s:o}",
			 "id", (json_int_t)import->id, "state", import_state_names[import->state],
			 "name", noun_text(import->name), "by", noun_text(import->by), "created",
			 noun_time(import->created_ms), "began", noun_time(import->began_ms),
			 "ended", noun_time(import->ended_ms), "size", (json_int_t)import->size,
			 "encoding",
			 import->encoding < IMPORT_ENCODINGS && import->encoding ?
				 import_encoding_names[import->encoding] :
				 "utf-8",
			 "reason",
			 import_reason_words((enum import_reason)import->reason, false),
			 "delimiter", delimiter, "plan", plan_json(import, nouns), "counts",
			 counts_json(&import->counts), "problem",
			 import->problem.len > 0 ? noun_text(import->problem) : json_null());
}

/* ---- plans ---- */

bool import_plan_pack_news(const struct import_plan *plan, struct buf *out)
{
	struct slice texts[2 * IMPORT_COLUMNS_MAX] = { { NULL, 0 } };

	for (u32 i = 0; i < plan->new_count; i++) {
		const struct import_new *fresh = &plan->news[i];

		texts[(size_t)2 * fresh->column] = slice_of(fresh->name);
		texts[(size_t)2 * fresh->column + 1] = slice_of(fresh->label_ja);
	}
	row_values_pack(out, texts, array_count(texts));
	return !out->failed && out->len <= IMPORT_NEWS_MAX;
}

static bool refuse(struct call *call, const char *pointer, const char *why)
{
	call_refuse(call, 422, pointer, "%s", why);
	return false;
}

static bool read_new(struct import_plan *plan, struct call *call, const json_t *json,
		     const char *base, u32 column, const struct nouns *nouns)
{
	struct import_new *fresh = &plan->news[plan->new_count];
	char pointer[FIELD_POINTER_MAX];
	const char *name;
	const char *type;
	const char *label;

	if (!field_text(call, json, base, "name", ATTRIBUTE_NAME_MAX, &name) ||
	    !field_text(call, json, base, "type", 16, &type) ||
	    !field_text(call, json, base, "label_ja", ATTRIBUTE_LABEL_MAX, &label))
		return false;
	if (!name || !attribute_name_is_good(slice_of(name)))
		return refuse(call, field_pointer(pointer, base, "name"),
			      "a new attribute's name is a letter and up to 63 of A-Z a-z 0-9 _");
	if (nouns_attribute_named(nouns, slice_of(name)))
		return refuse(call, field_pointer(pointer, base, "name"),
			      "there is an attribute of this name");
	for (u32 i = 0; i < plan->new_count; i++) {
		if (slice_equal_nocase(slice_of(plan->news[i].name), slice_of(name)))
			return refuse(call, field_pointer(pointer, base, "name"),
				      "another column makes an attribute of this name");
	}
	fresh->type = ATTRIBUTE_TEXT;
	while (type && fresh->type < ATTRIBUTE_TYPES &&
	       strcmp(type, attribute_type_names[fresh->type]) != 0)
		fresh->type++;
	if (fresh->type == ATTRIBUTE_TYPES || fresh->type == ATTRIBUTE_CHOICE)
		return refuse(call, field_pointer(pointer, base, "type"),
			      "a new attribute is text, number, date or yes-no");
	if (nouns->attribute_count + plan->new_count >= ATTRIBUTES_MAX)
		return refuse(call, base, "there would be too many attributes");
	fresh->column = column;
	plan->columns[column] = (struct import_column){ IMPORT_NEW, (u16)fresh->type };
	slice_copy(fresh->name, sizeof(fresh->name), slice_of(name));
	slice_copy(fresh->label_ja, sizeof(fresh->label_ja), slice_of(label ? label : ""));
	plan->new_count++;
	return true;
}

/* Targets that name something that is there. */
static bool read_target(struct import_column *column, struct call *call, const json_t *json,
			const char *base, const struct nouns *nouns)
{
	char pointer[FIELD_POINTER_MAX];
	const struct attribute *attribute;
	const struct audience_list *list;
	const char *name;
	const char *list_name;

	if (!field_text(call, json, base, "attribute", ATTRIBUTE_NAME_MAX, &name) ||
	    !field_text(call, json, base, "list", LIST_NAME_MAX, &list_name))
		return false;
	if (column->target == IMPORT_ATTRIBUTE) {
		attribute = name ? nouns_attribute_named(nouns, slice_of(name)) : NULL;
		if (!attribute)
			return refuse(call, field_pointer(pointer, base, "attribute"),
				      "there is no such attribute");
		column->id = attribute->id;
	} else {
		list = list_name ? nouns_list_named(nouns, slice_of(list_name)) : NULL;
		if (!list)
			return refuse(call, field_pointer(pointer, base, "list"),
				      "there is no such list");
		column->id = list->id;
	}
	return true;
}

static bool read_column(struct import_plan *plan, struct call *call, const json_t *json,
			const char *base, u32 index, const struct nouns *nouns)
{
	static const char *const names[] = { "target", "attribute", "list", "name", "type",
					     "label_ja", NULL };
	struct import_column *column = &plan->columns[index];
	const char *target;

	if (!json_is_object(json))
		return refuse(call, base, "a column is an object with a target");
	if (!field_known(call, json, base, names) ||
	    !field_text(call, json, base, "target", 16, &target))
		return false;
	if (target && strcmp(target, "new") == 0)
		return read_new(plan, call, json, base, index, nouns);
	if (target && strcmp(target, "email") == 0)
		column->target = IMPORT_EMAIL;
	else if (target && strcmp(target, "attribute") == 0)
		column->target = IMPORT_ATTRIBUTE;
	else if (target && strcmp(target, "list") == 0)
		column->target = IMPORT_LIST;
	else if (target && strcmp(target, "state") == 0)
		column->target = IMPORT_STATE;
	else if (!target || strcmp(target, "ignore") != 0)
		return refuse(call, base,
			      "a target is email, attribute, new, list, state or ignore");
	if (column->target == IMPORT_ATTRIBUTE || column->target == IMPORT_LIST)
		return read_target(column, call, json, base, nouns);
	return true;
}

static bool check_columns(const struct import_plan *plan, struct call *call)
{
	u32 emails = 0;
	u32 states = 0;

	for (u32 i = 0; i < plan->column_count; i++) {
		emails += plan->columns[i].target == IMPORT_EMAIL;
		states += plan->columns[i].target == IMPORT_STATE;
		for (u32 j = 0; j < i && plan->columns[i].target == IMPORT_ATTRIBUTE; j++) {
			if (plan->columns[j].target == IMPORT_ATTRIBUTE &&
			    plan->columns[j].id == plan->columns[i].id)
				return refuse(call, "/columns",
					      "two columns have the same attribute");
		}
	}
	if (states > 1)
		return refuse(call, "/columns", "one column at most is the state");
	return emails == 1 || refuse(call, "/columns", "one column is the address, and one only");
}

static bool read_columns(struct import_plan *plan, struct call *call, const json_t *json,
			 const struct nouns *nouns)
{
	char pointer[FIELD_POINTER_MAX];
	const json_t *columns;

	if (!field_list(call, json, "", "columns", IMPORT_COLUMNS_MAX, &columns))
		return false;
	plan->column_count = (u32)json_array_size(columns);
	for (u32 i = 0; i < plan->column_count; i++) {
		field_pointer_at(pointer, "/columns", i);
		if (!read_column(plan, call, json_array_get(columns, i), pointer, i, nouns))
			return false;
	}
	return check_columns(plan, call);
}

static bool read_lists(struct import_plan *plan, struct call *call, const json_t *json,
		       const struct nouns *nouns)
{
	char pointer[FIELD_POINTER_MAX];
	const json_t *lists;

	if (!field_list(call, json, "", "lists", IMPORT_LISTS_MAX, &lists))
		return false;
	for (size_t i = 0; i < json_array_size(lists); i++) {
		const char *name = json_string_value(json_array_get(lists, i));
		const struct audience_list *list =
			name ? nouns_list_named(nouns, slice_of(name)) : NULL;

		if (!list)
			return refuse(call, field_pointer_at(pointer, "/lists", i),
				      "there is no such list");
		plan->lists[plan->list_count++] = list->id;
	}
	return true;
}

static bool read_consent(struct import_plan *plan, struct call *call, const json_t *json)
{
	static const char *const names[] = { "renews", "source", "date", "text", NULL };
	const json_t *consent;
	const char *source;
	const char *date;
	const char *text = "";

	if (!field_object(call, json, "", "consent", &consent))
		return false;
	if (!consent)
		return true;
	if (!field_known(call, consent, "/consent", names) ||
	    !field_text(call, consent, "/consent", "source", IMPORT_SOURCE_MAX, &source) ||
	    !field_text(call, consent, "/consent", "date", 64, &date) ||
	    !field_body(call, consent, "/consent", "text", &text))
		return false;
	if (!source || !*source)
		return refuse(call, "/consent/source",
			      "a consent has a source: where it was given");
	if (!date || !clock_parse_rfc3339(slice_of(date), &plan->consent_ms) ||
	    plan->consent_ms > clock_wall_ms())
		return refuse(call, "/consent/date",
			      "a consent has a date that is over: 2026-11-25T12:12:00+09:00");
	if (strlen(text) > IMPORT_CONSENT_MAX)
		return refuse(call, "/consent/text", "text is too long");
	plan->has_consent = json_is_true(json_object_get(consent, "renews"));
	slice_copy(plan->consent_source, sizeof(plan->consent_source), slice_of(source));
	slice_copy(plan->consent_text, sizeof(plan->consent_text), slice_of(text));
	return true;
}

static bool read_form(struct import_plan *plan, struct call *call, const json_t *json)
{
	const char *suppressed;
	const char *encoding;
	const char *delimiter;
	const char *update;

	if (!field_text(call, json, "", "encoding", 32, &encoding) ||
	    !field_text(call, json, "", "suppressed", 16, &suppressed) ||
	    !field_text(call, json, "", "update", 16, &update))
		return false;
	plan->starts_sequences = json_is_true(json_object_get(json, "sequences"));
	delimiter = json_string_value(json_object_get(json, "delimiter"));
	if (encoding && !(plan->encoding = import_encoding_of(slice_of(encoding))))
		return refuse(call, "/encoding", "this encoding is not known");
	if (delimiter && (strlen(delimiter) != 1 || !strchr(",;\t", *delimiter)))
		return refuse(call, "/delimiter", "a delimiter is a comma, a semicolon or a tab");
	plan->delimiter = delimiter ? *delimiter : 0;
	plan->skips_suppressed = suppressed && strcmp(suppressed, "skip") == 0;
	if (suppressed && !plan->skips_suppressed && strcmp(suppressed, "keep") != 0)
		return refuse(call, "/suppressed", "who is suppressed is kept as such, or skip");
	plan->update = update ? 0 : IMPORT_FILLED;
	for (u32 i = IMPORT_ONLY_NEW; update && i < IMPORT_UPDATES; i++) {
		if (strcmp(update, update_names[i]) == 0)
			plan->update = (enum import_update)i;
	}
	return plan->update || refuse(call, "/update", "an update is new, filled or overwrite");
}

bool import_plan_read(struct import_plan *plan, struct call *call, const json_t *json,
		      const struct nouns *nouns)
{
	static const char *const names[] = { "encoding", "delimiter", "columns",   "lists",
					     "update",	 "consent",   "sequences", "suppressed",
					     NULL };

	return field_known(call, json, "", names) && read_form(plan, call, json) &&
	       read_columns(plan, call, json, nouns) && read_lists(plan, call, json, nouns) &&
	       read_consent(plan, call, json);
}
