#include "web/segment_json.h"

#include "base/text.h"
#include "campaign/segment_words.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024 /* of a test */

struct reader {
	struct segment *segment;
	char *pointer;
	size_t len; /* of the pointer to where it reads */
	u32 depth;
	struct error *error;
};

static struct segment_node *read_node(struct reader *r, const json_t *json);

/* The pointer is left at the place. */
static bool refuse(struct reader *r, const char *name, const char *why)
{
	if (name)
		snprintf(r->pointer + r->len, SEGMENT_POINTER_MAX - r->len, "/%s", name);
	return error_set(r->error, "%s", why);
}

static struct segment_node *add(struct reader *r, enum segment_kind kind)
{
	struct segment_node *node = segment_add(r->segment, kind);

	if (!node)
		error_set(r->error, "the condition has more than %d parts", SEGMENT_NODES_MAX);
	return node;
}

/* ---- values ---- */

/* A number as people write it: JSON has it in binary. */
static struct slice real_text(double value, char out[64])
{
	int len = snprintf(out, 64, "%.9f", value);

	return (struct slice){ out, len > 0 && len < 64 ? (size_t)len : 0 };
}

static bool read_value(struct reader *r, struct segment_node *test, size_t index,
		       const json_t *json, const char *name)
{
	char text[64];
	struct slice value = { json_string_value(json), json_string_length(json) };

	if (json_is_integer(json)) {
		int len = snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(json));

		value = (struct slice){ text, (size_t)len };
	} else if (json_is_real(json)) {
		value = real_text(json_real_value(json), text);
	} else if (json_is_boolean(json)) {
		value = json_is_true(json) ? SLICE("yes") : SLICE("no");
	}
	if (!value.ptr)
		return refuse(r, name, "a value is text, a number, true or false");
	if (value.len > SEGMENT_VALUE_MAX)
		return refuse(r, name, "the value is too long");
	return segment_set_value(r->segment, test, index, value) ||
	       refuse(r, name, "there is no memory for this");
}

static bool read_values(struct reader *r, struct segment_node *test, const json_t *json)
{
	const json_t *value = json_object_get(json, "value");
	const json_t *values = json_object_get(json, "values");
	size_t count = json_array_size(values);

	if (value && values)
		return refuse(r, "values", "there is a value or there are values, not both");
	if (!value && !values)
		return true; /* whether there should be any is for settling to say */
	if (values && (count == 0 || count > SEGMENT_VALUES_MAX))
		return refuse(r, "values", "values is a list that is neither empty nor too long");
	if (!segment_make_values(r->segment, test, value ? 1 : count))
		return refuse(r, "values", "there is no memory for this");
	if (value)
		return read_value(r, test, 0, value, "value");
	for (size_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "values/%zu", i);
		if (!read_value(r, test, i, json_array_get(values, i), name))
			return false;
	}
	return true;
}

/* ---- tests ---- */

static bool read_number(struct reader *r, const json_t *json, const char *name, u32 *out)
{
	const json_t *value = json_object_get(json, name);
	json_int_t number = json_integer_value(value);

	if (!value)
		return true;
	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		return refuse(r, name, "this is a whole number that is not too large");
	*out = (u32)number;
	return true;
}

static bool read_words(struct reader *r, struct segment_node *test, const json_t *json)
{
	const char *subject = json_string_value(json_object_get(json, "test"));
	const json_t *op = json_object_get(json, "op");

	if (!subject || !segment_subject_of(slice_of(subject), &test->subject))
		return refuse(r, "test", "there is no such test");
	test->op = SEGMENT_EVER;
	return !op || (json_is_string(op) && segment_operator_of(slice_of(json_string_value(op)),
								  &test->op)) ||
	       refuse(r, "op", "there is no such operator");
}

static bool read_name(struct reader *r, struct segment_node *test, const json_t *json)
{
	const json_t *name = json_object_get(json, "name");
	bool is_named = test->subject == SEGMENT_ATTRIBUTE || segment_is_of_list(test->subject);
	struct slice text = { json_string_value(name), json_string_length(name) };

	if (!is_named)
		return !name || refuse(r, "name", "this test has no name");
	if (!read_number(r, json, "id", &test->id))
		return false;
	if (!name)
		return test->id > 0 || refuse(r, "name", "the name or the id is missing");
	if (!text.ptr || text.len == 0 || text.len > SEGMENT_VALUE_MAX)
		return refuse(r, "name", "a name is text that is not too long");
	test->name = arena_copy(&r->segment->arena, text);
	return test->name.ptr || refuse(r, "name", "there is no memory for this");
}

/* A member that is not known is not to be ignored: it may have been meant to say less. */
static bool check_members(struct reader *r, const struct segment_node *test, const json_t *json)
{
	static const char *const names[] = { "test",  "op",	"name", "id",
					     "value", "values", "days" };
	const char *name;
	json_t *value;

	/* The cast: jansson's iterator takes no const, and changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		bool is_known = segment_is_behaviour(test->subject) &&
				(strcmp(name, "campaign") == 0 || strcmp(name, "link") == 0);

		for (size_t i = 0; i < array_count(names); i++)
			is_known = is_known || strcmp(name, names[i]) == 0;
		if (!is_known)
			return error_set(r->error, "%.64s is no field of this test", name);
	}
	return true;
}

static struct segment_node *read_test(struct reader *r, const json_t *json)
{
	struct segment_node *test = add(r, SEGMENT_TEST);

	if (!test || !read_words(r, test, json) || !check_members(r, test, json) ||
	    !read_name(r, test, json) || !read_number(r, json, "days", &test->days) ||
	    !read_values(r, test, json))
		return NULL;
	if (segment_is_behaviour(test->subject) &&
	    (!read_number(r, json, "campaign", &test->id) ||
	     !read_number(r, json, "link", &test->link)))
		return NULL;
	return test;
}

/* ---- groups ---- */

static struct segment_node *read_below(struct reader *r, const json_t *json, const char *name)
{
	size_t len = r->len;
	struct segment_node *node;
	int more = snprintf(r->pointer + len, SEGMENT_POINTER_MAX - len, "/%s", name);

	r->len = min_size(len + (size_t)more, SEGMENT_POINTER_MAX - 1);
	r->depth++;
	node = read_node(r, json);
	r->depth--;
	if (node) { /* else the pointer stays where the mistake is */
		r->len = len;
		r->pointer[len] = '\0';
	}
	return node;
}

static struct segment_node *read_group(struct reader *r, const json_t *json, const char *name,
				       enum segment_kind kind)
{
	const json_t *children = json_object_get(json, name);
	struct segment_node *group = add(r, kind);
	struct segment_node **at;

	if (!group)
		return NULL;
	if (!json_is_array(children)) {
		refuse(r, name, "this is a list of conditions");
		return NULL;
	}
	at = &group->first;
	for (size_t i = 0; i < json_array_size(children); i++) {
		char place[32];

		snprintf(place, sizeof(place), "%s/%zu", name, i);
		*at = read_below(r, json_array_get(children, i), place);
		if (!*at)
			return NULL;
		at = &(*at)->next;
	}
	return group;
}

static struct segment_node *read_node(struct reader *r, const json_t *json)
{
	struct segment_node *node;

	if (!json_is_object(json)) {
		refuse(r, NULL, "a condition is an object");
		return NULL;
	}
	if (r->depth == SEGMENT_DEPTH_MAX) {
		refuse(r, NULL, "the condition is nested too deeply");
		return NULL;
	}
	if (json_object_get(json, "test"))
		return read_test(r, json);
	if (json_object_size(json) == 1 && json_object_get(json, "all"))
		return read_group(r, json, "all", SEGMENT_ALL);
	if (json_object_size(json) == 1 && json_object_get(json, "any"))
		return read_group(r, json, "any", SEGMENT_ANY);
	if (json_object_size(json) == 1 && json_object_get(json, "not")) {
		node = add(r, SEGMENT_NOT);
		if (node)
			node->first = read_below(r, json_object_get(json, "not"), "not");
		return node && node->first ? node : NULL;
	}
	refuse(r, NULL, "a condition has a test, or all, any or not and nothing else");
	return NULL;
}

bool segment_json_read(struct segment *segment, const json_t *json,
		       char pointer[SEGMENT_POINTER_MAX], struct error *error)
{
	struct reader r = { .segment = segment, .pointer = pointer, .error = error };

	pointer[0] = '\0';
	segment->root = read_node(&r, json);
	return segment->root != NULL;
}

/* ---- pointers ---- */

static bool find(const struct segment_node *at, const struct segment_node *node, char *pointer,
		 size_t len)
{
	size_t index = 0;

	if (at == node) {
		pointer[len] = '\0';
		return true;
	}
	for (const struct segment_node *child = at->first; child; child = child->next) {
		size_t left = SEGMENT_POINTER_MAX - len;
		int more = at->kind == SEGMENT_NOT ?
				   snprintf(pointer + len, left, "/not") :
				   snprintf(pointer + len, left, "/%s/%zu",
					    at->kind == SEGMENT_ALL ? "all" : "any", index++);

		if (find(child, node, pointer,
			 min_size(len + (size_t)more, SEGMENT_POINTER_MAX - 1)))
			return true;
	}
	return false;
}

void segment_json_pointer(const struct segment *segment, const struct segment_node *node,
			  char pointer[SEGMENT_POINTER_MAX])
{
	if (!find(segment->root, node, pointer, 0))
		pointer[0] = '\0';
}

/* ---- writing ---- */

static json_t *text_of(struct slice text)
{
	return json_stringn(text.ptr, text.len);
}

static json_t *value_of(const struct segment_node *test, u32 index)
{
	struct slice value = test->values[index];

	if (test->type == SEGMENT_YES_NO)
		return json_boolean(slice_equal(value, SLICE("yes")));
	/* Numbers stay text: JSON's have no more than 53 bits. */
	return text_of(value);
}

static void set_values(json_t *json, const struct segment_node *test)
{
	json_t *values;

	if (test->op != SEGMENT_IN && test->value_count == 1)
		json_object_set_new(json, "value", value_of(test, 0));
	if (test->op != SEGMENT_IN)
		return;
	values = json_array();
	for (u32 i = 0; i < test->value_count; i++)
		json_array_append_new(values, value_of(test, i));
	json_object_set_new(json, "values", values);
}

static json_t *test_of(const struct segment_node *test)
{
	json_t *json = json_pack("{s:s, s:s}", "test", segment_subject_word(test->subject), "op",
				 segment_operator_word(test->op));

	if (!json)
		return NULL;
	if (segment_is_behaviour(test->subject) && test->id > 0)
		json_object_set_new(json, "campaign", json_integer(test->id));
	if (test->link > 0)
		json_object_set_new(json, "link", json_integer(test->link));
	if (test->name.ptr) {
		json_object_set_new(json, "name", text_of(test->name));
		json_object_set_new(json, "id", json_integer(test->id));
	}
	if (segment_takes_days(test->op))
		json_object_set_new(json, "days", json_integer(test->days));
	set_values(json, test);
	return json;
}

struct explainer {
	struct segment_run *run;
	const struct contact *contact;
	const bool *held;
};

static void explain_test(const struct explainer *explainer, const struct segment_node *test,
			 json_t *json)
{
	struct buf text;

	buf_init(&text, TEXT_MAX + SEGMENT_TEXT_MAX);
	segment_print(test, SEGMENT_BY_NAME, &text);
	json_object_set_new(json, "text", text_of(buf_slice(&text)));
	buf_reset(&text);
	segment_run_found(explainer->run, test, explainer->contact, &text);
	json_object_set_new(json, "found",
			    text.len > 0 ? text_of(buf_slice(&text)) : json_null());
	buf_done(&text);
}

static json_t *write_node(const struct segment_node *node, const struct explainer *explainer)
{
	json_t *json;
	json_t *children;

	if (node->kind == SEGMENT_TEST) {
		json = test_of(node);
		if (json && explainer)
			explain_test(explainer, node, json);
	} else if (node->kind == SEGMENT_NOT) {
		json = json_pack("{s:o}", "not", write_node(node->first, explainer));
	} else {
		children = json_array();
		for (const struct segment_node *child = node->first; child; child = child->next)
			json_array_append_new(children, write_node(child, explainer));
		json = json_pack("{s:o}", node->kind == SEGMENT_ALL ? "all" : "any", children);
	}
	if (json && explainer)
		json_object_set_new(json, "held", json_boolean(explainer->held[node->number]));
	return json;
}

json_t *segment_json_of(const struct segment_node *node)
{
	return write_node(node, NULL);
}

json_t *segment_json_explain(struct segment_run *run, const struct segment_node *node,
			     const struct contact *contact, const bool *held)
{
	struct explainer explainer = { run, contact, held };

	return write_node(node, &explainer);
}
