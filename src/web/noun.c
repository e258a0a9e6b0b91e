#include "web/noun.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "store/audience_count.h"

#include <stdlib.h>

const char *const contact_state_names[CONTACT_COMPLAINED + 1] = {
	[CONTACT_PENDING] = "pending",
	[CONTACT_ACTIVE] = "active",
	[CONTACT_BOUNCED] = "bounced",
	[CONTACT_UNSUBSCRIBED] = "unsubscribed",
	[CONTACT_COMPLAINED] = "complained",
};

const char *const member_state_names[MEMBER_LEFT + 1] = {
	[MEMBER_PENDING] = "pending",
	[MEMBER_ACTIVE] = "active",
	[MEMBER_LEFT] = "left",
};

/* ---- loading ---- */

static enum store_result load(struct nouns *nouns, struct audience_txn *txn)
{
	struct attribute attribute = { 0 };
	struct audience_list list = { 0 };
	enum store_result result;

	while (nouns->attribute_count < ATTRIBUTES_MAX &&
	       (result = attribute_after(txn, attribute.id, &attribute)) != STORE_NOT_FOUND) {
		if (result != STORE_OK)
			return result;
		nouns->attributes[nouns->attribute_count++] = attribute;
	}
	while (nouns->list_count < LISTS_MAX &&
	       (result = audience_list_after(txn, list.id, &list)) != STORE_NOT_FOUND) {
		if (result != STORE_OK)
			return result;
		nouns->lists[nouns->list_count++] = list;
	}
	return STORE_OK;
}

bool nouns_load_again(struct call *call, struct nouns **nouns)
{
	struct audience_txn *reader = call->web->reader;

	*nouns = calloc(1, sizeof(**nouns));
	if (*nouns && audience_begin_read(reader) == STORE_OK && load(*nouns, reader) == STORE_OK)
		return true;
	nouns_end(call, *nouns);
	*nouns = NULL;
	return false;
}

bool nouns_begin(struct call *call, struct nouns **nouns)
{
	if (nouns_load_again(call, nouns))
		return true;
	call_refuse(call, 503, NULL, "contacts cannot be read");
	return false;
}

void nouns_end(struct call *call, struct nouns *nouns)
{
	audience_abort(call->web->reader);
	free(nouns);
}

const struct attribute *nouns_attribute(const struct nouns *nouns, u16 id)
{
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		if (nouns->attributes[i].id == id)
			return &nouns->attributes[i];
	}
	return NULL;
}

const struct attribute *nouns_attribute_named(const struct nouns *nouns, struct slice name)
{
	for (u32 i = 0; i < nouns->attribute_count; i++) {
		if (slice_equal_nocase(nouns->attributes[i].name, name))
			return &nouns->attributes[i];
	}
	return NULL;
}

const struct audience_list *nouns_list(const struct nouns *nouns, u16 id)
{
	for (u32 i = 0; i < nouns->list_count; i++) {
		if (nouns->lists[i].id == id)
			return &nouns->lists[i];
	}
	return NULL;
}

const struct audience_list *nouns_list_named(const struct nouns *nouns, struct slice name)
{
	u32 id;

	if (slice_to_u32(name, &id) && id <= UINT16_MAX)
		return nouns_list(nouns, (u16)id);
	for (u32 i = 0; i < nouns->list_count; i++) {
		if (slice_equal_nocase(nouns->lists[i].name, name))
			return &nouns->lists[i];
	}
	return NULL;
}

/* ---- as JSON ---- */

json_t *noun_text(struct slice text)
{
	i64 bad = utf8_find_bad(text);
	json_t *json;
	char *copy;

	if (bad < 0)
		return json_stringn(text.ptr ? text.ptr : "", text.len);
	copy = malloc(text.len);
	if (!copy)
		return NULL;
	memcpy(copy, text.ptr, text.len);
	for (size_t i = (size_t)bad; i < text.len; i++) {
		if ((u8)copy[i] >= 0x80)
			copy[i] = '?';
	}
	json = json_stringn(copy, text.len);
	free(copy);
	return json;
}

json_t *noun_time(u64 ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (ms == 0)
		return json_null();
	clock_format_rfc3339(text, ms);
	return json_string(text);
}

json_t *noun_attribute_json(const struct attribute *attribute)
{
	struct slice rest = attribute->choices;
	json_t *choices = json_array();

	while (attribute->type == ATTRIBUTE_CHOICE && rest.len > 0)
		json_array_append_new(choices, noun_text(slice_split(&rest, '\n')));
	return json_pack("{s:i, s:o, s:s, s:b, s:o, s:o, s:o}", "id", (int)attribute->id, "name",
			 noun_text(attribute->name), "type", attribute_type_names[attribute->type],
			 "required", (int)attribute->is_required, "label_ja",
			 noun_text(attribute->label_ja), "label_en", noun_text(attribute->label_en),
			 "choices", choices);
}

static u64 members(struct audience_txn *txn, u16 list, enum member_state state)
{
	u64 count;

	return audience_count_get(txn, COUNTED_MEMBERS, (u32)list * 8 + (u32)state, &count) ==
			       STORE_OK ?
		       count :
		       0;
}

json_t *noun_list_json(const struct audience_list *list, struct audience_txn *txn)
{
	return json_pack("{s:i, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:{s:I, s:I, s:I}}", "id",
			 (int)list->id, "name", noun_text(list->name), "title",
			 noun_text(list->title), "description", noun_text(list->description),
			 "public", (int)list->is_public, "double_opt_in", (int)list->is_double,
			 "default", (int)list->is_default, "created", noun_time(list->created_ms),
			 "members", "active", (json_int_t)members(txn, list->id, MEMBER_ACTIVE),
			 "pending", (json_int_t)members(txn, list->id, MEMBER_PENDING), "left",
			 (json_int_t)members(txn, list->id, MEMBER_LEFT));
}

static json_t *value_json(const struct attribute *attribute, struct slice value)
{
	if (attribute->type == ATTRIBUTE_YES_NO)
		return json_boolean(slice_equal(value, SLICE("1")));
	return noun_text(value);
}

static json_t *values_json(struct slice values, const struct nouns *nouns)
{
	json_t *object = json_object();
	struct slice value;
	u16 id;

	while (contact_next_value(&values, &id, &value)) {
		const struct attribute *attribute = nouns_attribute(nouns, id);
		char name[ATTRIBUTE_NAME_MAX + 1];

		if (!attribute)
			continue;
		slice_copy(name, sizeof(name), attribute->name);
		json_object_set_new(object, name, value_json(attribute, value));
	}
	return object;
}

static json_t *lists_json(struct slice lists, const struct nouns *nouns)
{
	struct contact_member member;
	json_t *array = json_array();

	while (contact_next_member(&lists, &member)) {
		const struct audience_list *list = nouns_list(nouns, member.list);

		if (list && member.state >= MEMBER_PENDING && member.state <= MEMBER_LEFT)
			json_array_append_new(
				array,
				json_pack("{s:o, s:s, s:o}", "list", noun_text(list->name), "state",
					  member_state_names[member.state], "since",
					  noun_time((u64)member.since_s * MS_PER_S)));
	}
	return array;
}

json_t *noun_contact_json(const struct contact *contact, const struct nouns *nouns)
{
	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o}", "id", (json_int_t)contact->id,
			 "email", noun_text(contact->address), "state",
			 contact_state_names[contact->state], "created",
			 noun_time(contact->created_ms), "changed", noun_time(contact->changed_ms),
			 "values", values_json(contact->values, nouns), "lists",
			 lists_json(contact->lists, nouns));
}
