/* /api/v1/contacts: whom mail goes to. */
#include "base/clock.h"
#include "base/text.h"
#include "web/contact_change.h"
#include "web/contact_search.h"
#include "web/field.h"
#include "web/query.h"
#include "web/route.h"
#include "web/sequence_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define HISTORY_MAX 1000

/* ---- reading ---- */

/* By id, or by address. False: the call is answered. */
static bool find(struct call *call, struct contact *contact)
{
	struct audience_txn *reader = call->web->reader;
	enum store_result result = STORE_OK;
	struct address address;
	struct error error;
	struct buf key;
	u32 id = 0;

	buf_init(&key, 2 * ADDRESS_WIRE_MAX);
	if (!slice_to_u32(slice_of(call->argument), &id)) {
		result = STORE_NOT_FOUND;
		if (address_parse(&address, slice_of(call->argument), &error)) {
			address_add_key(&address, &key);
			result = key.failed ? STORE_FULL :
					      contact_find(reader, buf_slice(&key), &id);
		}
	}
	buf_done(&key);
	if (result == STORE_OK)
		result = contact_get(reader, id, contact);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such contact");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "contacts cannot be read");
	return result == STORE_OK;
}

void api_contact_show(struct call *call)
{
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (find(call, &contact))
		call_answer(call, 200, noun_contact_json(&contact, nouns));
	nouns_end(call, nouns);
}

/* ---- searching ---- */

static bool read_search(struct contact_search *search, struct call *call,
			const struct nouns *nouns)
{
	const struct audience_list *list;
	char name[LIST_NAME_MAX + 1];
	char state[16];
	u64 limit = LIMIT_DEFAULT;

	if (!web_query_text(call, "email", search->prefix, sizeof(search->prefix)) ||
	    !web_query_text(call, "text", search->text, sizeof(search->text)) ||
	    !web_query_text(call, "cursor", search->cursor, sizeof(search->cursor)) ||
	    !web_query_text(call, "list", name, sizeof(name)) ||
	    !web_query_text(call, "state", state, sizeof(state)) ||
	    !web_query_number(call, SLICE("limit"), &limit))
		return false;
	search->limit = (u32)min_u64(limit > 0 ? limit : 1, CONTACT_SEARCH_MAX);
	for (u32 i = CONTACT_PENDING; i <= CONTACT_COMPLAINED; i++) {
		if (strcmp(state, contact_state_names[i]) == 0)
			search->state = (u8)i;
	}
	list = name[0] ? nouns_list_named(nouns, slice_of(name)) : NULL;
	search->list = list ? list->id : 0;
	if (name[0] && !list)
		call_refuse(call, 422, NULL, "there is no such list");
	else if (state[0] && !search->state)
		call_refuse(call, 422, NULL, "there is no such state");
	return !(name[0] && !list) && !(state[0] && !search->state);
}

static json_t *found_json(const struct contact_search *search, struct audience_txn *reader,
			  const struct nouns *nouns)
{
	json_t *contacts = json_array();
	struct contact contact;

	for (u32 i = 0; i < search->count; i++) {
		if (contact_get(reader, search->ids[i], &contact) == STORE_OK)
			json_array_append_new(contacts, noun_contact_json(&contact, nouns));
	}
	return json_pack("{s:o, s:o}", "contacts", contacts, "next",
			 search->cursor[0] ? noun_text(slice_of(search->cursor)) : json_null());
}

void api_contacts_list(struct call *call)
{
	struct contact_search *search = calloc(1, sizeof(*search));
	enum store_result result;
	struct nouns *nouns;

	if (!search) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!nouns_begin(call, &nouns)) {
		free(search);
		return;
	}
	if (read_search(search, call, nouns)) {
		result = contact_search_run(search, call->web->reader);
		if (result == STORE_OK)
			call_answer(call, 200, found_json(search, call->web->reader, nouns));
		else if (result == STORE_NOT_FOUND)
			call_refuse(call, 422, NULL, "the cursor is none of this search");
		else
			call_refuse(call, 503, NULL, "contacts cannot be read");
	}
	nouns_end(call, nouns);
	free(search);
}

/* ---- history, and all that there is of one ---- */

static json_t *event_json(const struct history_event *event)
{
	static const char *const kinds[] = {
		[HISTORY_CREATED] = "created",	 [HISTORY_CHANGED] = "changed",
		[HISTORY_CONSENT] = "consent",	 [HISTORY_CONFIRMED] = "confirmed",
		[HISTORY_UNSUBSCRIBED] = "unsubscribed", [HISTORY_BOUNCED] = "bounced",
		[HISTORY_COMPLAINED] = "complained", [HISTORY_ADDRESS] = "address",
	};
	json_t *details = json_array();
	size_t count = event->field_count;
	u32 kind = (u32)event->kind;

	while (count > 0 && event->fields[count - 1].len == 0)
		count--;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(details, noun_text(event->fields[i]));
	return json_pack("{s:o, s:s, s:o}", "at", noun_time(event->at_ms), "kind",
			 kind < array_count(kinds) && kinds[kind] ? kinds[kind] : "other",
			 "details", details);
}

static json_t *history_json(struct audience_txn *reader, u32 contact)
{
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };
	json_t *events = json_array();

	while (json_array_size(events) < HISTORY_MAX &&
	       contact_history_before(reader, contact, event.at_ms, event.number, &event) ==
		       STORE_OK) {
		if (json_array_append_new(events, event_json(&event)) != 0)
			break;
	}
	return events;
}

void api_contact_history(struct call *call)
{
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (find(call, &contact))
		call_answer(call, 200,
			    json_pack("{s:o}", "events",
				      history_json(call->web->reader, contact.id)));
	nouns_end(call, nouns);
}

json_t *noun_contact_all_json(const struct contact *contact, const struct nouns *nouns,
			      struct audience_txn *reader)
{
	json_t *json = noun_contact_json(contact, nouns);

	if (json) {
		json_object_set_new(json, "history", history_json(reader, contact->id));
		json_object_set_new(json, "sequences", enrolments_json(reader, contact->id));
	}
	return json;
}

void api_contact_export(struct call *call)
{
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (find(call, &contact))
		call_answer(call, 200,
			    noun_contact_all_json(&contact, nouns, call->web->reader));
	nouns_end(call, nouns);
}

/* ---- reading what is wanted ---- */

static bool refuse(struct call *call, const char *pointer, const char *why)
{
	call_refuse(call, 422, pointer, "%s", why);
	return false;
}

/* A value as JSON has it, as text. False: it is none. */
static bool value_text(const json_t *json, char room[64], struct slice *text)
{
	if (json_is_string(json))
		*text = (struct slice){ json_string_value(json), json_string_length(json) };
	else if (json_is_null(json))
		*text = SLICE("");
	else if (json_is_boolean(json))
		*text = json_is_true(json) ? SLICE("1") : SLICE("0");
	else if (json_is_integer(json))
		*text = (struct slice){ room,
					(size_t)snprintf(room, 64, "%lld",
							 (long long)json_integer_value(json)) };
	else if (json_is_real(json))
		*text = (struct slice){ room, (size_t)snprintf(room, 64, "%.10f",
							       json_real_value(json)) };
	else
		return false;
	return text->len < 64 || text->ptr != room;
}

struct named_value {
	const struct attribute *attribute;
	const json_t *json;
	const char *name;
};

static int by_id(const void *a, const void *b)
{
	const struct named_value *left = a;
	const struct named_value *right = b;

	return (int)left->attribute->id - (int)right->attribute->id;
}

static bool add_value(struct contact_change *change, struct call *call,
		      const struct named_value *value)
{
	char pointer[FIELD_POINTER_MAX];
	char room[64];
	struct slice text;
	enum value_problem problem;

	field_pointer(pointer, "/values", value->name);
	if (!value_text(value->json, room, &text))
		return refuse(call, pointer, "a value is text, a number, true, false or null");
	problem = contact_change_value(change, value->attribute, text);
	if (problem != VALUE_GOOD)
		call_refuse(call, 422, pointer, "%.64s %s", value->name,
			    value_problem_words(problem, false));
	else if (change->values.failed)
		call_refuse(call, 422, pointer, "values are too large together");
	return problem == VALUE_GOOD && !change->values.failed;
}

static bool read_values(struct contact_change *change, struct call *call,
			const struct nouns *nouns)
{
	struct named_value values[ATTRIBUTES_MAX];
	char pointer[FIELD_POINTER_MAX];
	const json_t *object;
	const char *name;
	json_t *value;
	size_t count = 0;

	if (!field_object(call, call->json, "", "values", &object))
		return false;
	/* The cast: jansson's iterator takes no const, and changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		const struct attribute *attribute =
			nouns_attribute_named(nouns, slice_of(name));

		if (!attribute || count == ATTRIBUTES_MAX)
			return refuse(call, field_pointer(pointer, "/values", name),
				      "there is no such attribute");
		values[count++] = (struct named_value){ attribute, value, name };
	}
	if (count > 1)
		qsort(values, count, sizeof(values[0]), by_id);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && values[i].attribute == values[i - 1].attribute)
			return refuse(call, "/values", "an attribute is named twice");
		if (!add_value(change, call, &values[i]))
			return false;
	}
	return true;
}

/* {"news": "active", "offers": "left", "old": null} */
static bool read_lists(struct contact_change *change, struct call *call,
		       const struct nouns *nouns)
{
	char pointer[FIELD_POINTER_MAX];
	const json_t *object;
	const char *name;
	json_t *value;

	if (!field_object(call, call->json, "", "lists", &object))
		return false;
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		const struct audience_list *list = nouns_list_named(nouns, slice_of(name));
		const char *word = json_string_value(value);
		u32 state = json_is_null(value) ? 0 : MEMBER_LEFT + 1;

		field_pointer(pointer, "/lists", name);
		if (!list)
			return refuse(call, pointer, "there is no such list");
		for (u32 i = MEMBER_PENDING; word && i <= MEMBER_LEFT; i++) {
			if (strcmp(word, member_state_names[i]) == 0)
				state = i;
		}
		if (state > MEMBER_LEFT)
			return refuse(call, pointer,
				      "in a list one is active, pending, left, or null");
		if (!contact_change_list(change, list->id, (enum member_state)state))
			return refuse(call, pointer, "these are too many lists at once");
	}
	return true;
}

static bool read_state(struct contact_change *change, struct call *call)
{
	const char *word;

	if (!field_text(call, call->json, "", "state", 16, &word))
		return false;
	for (u32 i = CONTACT_PENDING; word && i <= CONTACT_COMPLAINED; i++) {
		if (strcmp(word, contact_state_names[i]) == 0)
			change->state = (enum contact_state)i;
	}
	return !word || change->state ||
	       refuse(call, "/state",
		      "a state is pending, active, bounced, unsubscribed or complained");
}

static bool read_consent(struct contact_change *change, struct call *call)
{
	static const char *const names[] = { "source", "text", NULL };
	const json_t *consent;
	const char *source;
	const char *text = "";

	if (!field_object(call, call->json, "", "consent", &consent))
		return false;
	if (!consent)
		return true;
	if (!field_known(call, consent, "/consent", names) ||
	    !field_text(call, consent, "/consent", "source", IMPORT_SOURCE_MAX, &source) ||
	    !field_body(call, consent, "/consent", "text", &text))
		return false;
	if (!source || !*source)
		return refuse(call, "/consent/source",
			      "a consent has a source: where it was given");
	if (!slice_copy(change->consent_text, sizeof(change->consent_text), slice_of(text)))
		return refuse(call, "/consent/text", "text is too long");
	slice_copy(change->consent_source, sizeof(change->consent_source), slice_of(source));
	return true;
}

static bool read_change(struct contact_change *change, struct call *call,
			const struct nouns *nouns)
{
	static const char *const names[] = { "email", "values", "lists", "state",
					     "consent", "upsert", NULL };
	struct error error;
	const char *email;

	if (!field_known(call, call->json, "", names) ||
	    !field_text(call, call->json, "", "email", 512, &email))
		return false;
	change->puts = json_is_true(json_object_get(call->json, "upsert"));
	if (change->makes && !email)
		return refuse(call, "/email", "a contact has an address");
	if (email && !contact_change_address(change, slice_of(email), &error)) {
		call_refuse(call, 422, "/email", "%s", error.text);
		return false;
	}
	return read_values(change, call, nouns) && read_lists(change, call, nouns) &&
	       read_state(change, call) && read_consent(change, call);
}

/* ---- changing ---- */

static void answer_contact(struct call *call, const struct contact_change *change)
{
	struct contact contact;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (change->outcome == CONTACT_MADE)
		buf_add_format(&call->answer_head, "Location: /api/v1/contacts/%u\r\n",
			       change->id);
	if (contact_get(call->web->reader, change->id, &contact) == STORE_OK)
		call_answer(call, change->outcome == CONTACT_MADE ? 201 : 200,
			    noun_contact_json(&contact, nouns));
	else
		call_refuse(call, 404, NULL, "it is not there any more");
	nouns_end(call, nouns);
}

static void answer(struct call *call, struct call_order *order)
{
	struct contact_change *change = container_of(order, struct contact_change, order);

	if (!call_order_is_well(call, order))
		return;
	switch (change->outcome) {
	case CONTACT_CHANGED:
	case CONTACT_MADE:
		answer_contact(call, change);
		break;
	case CONTACT_ERASED:
		call_answer_nothing(call, 204);
		break;
	case CONTACT_IS_THERE:
		call_refuse(call, 409, "/email", "contact %u has this address", change->id);
		break;
	case CONTACT_IS_NOT_THERE:
		call_refuse(call, 404, NULL, "there is no such contact");
		break;
	case CONTACT_IS_TAKEN:
		call_refuse(call, 409, "/email", "another contact has this address");
		break;
	case CONTACT_IS_TOO_LARGE:
		call_refuse(call, 422, "/values", "values are too large together");
		break;
	case CONTACT_WANTS_CONSENT:
		call_refuse(call, 409, "/consent",
			    "who left, complained or was erased comes back by a new consent alone");
		break;
	}
}

void api_contacts_add(struct call *call)
{
	struct contact_change *change = contact_change_open(call, answer);
	struct nouns *nouns;
	bool good;

	if (!change)
		return;
	change->makes = true;
	if (!nouns_begin(call, &nouns)) {
		contact_change_free(change);
		return;
	}
	good = read_change(change, call, nouns);
	nouns_end(call, nouns);
	if (good)
		contact_change_give(change, call);
	else
		contact_change_free(change);
}

static void change_one(struct call *call, bool erases)
{
	struct contact_change *change = contact_change_open(call, answer);
	struct contact contact;
	struct nouns *nouns;
	bool good;

	if (!change)
		return;
	if (!nouns_begin(call, &nouns)) {
		contact_change_free(change);
		return;
	}
	change->erases = erases;
	good = find(call, &contact);
	if (good)
		change->id = contact.id;
	good = good && (erases || read_change(change, call, nouns));
	nouns_end(call, nouns);
	if (good)
		contact_change_give(change, call);
	else
		contact_change_free(change);
}

void api_contact_change(struct call *call)
{
	change_one(call, false);
}

void api_contact_erase(struct call *call)
{
	change_one(call, true);
}
