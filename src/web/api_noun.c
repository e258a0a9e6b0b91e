/* /api/v1/lists and /api/v1/attributes: what contacts subscribe to, and what is kept of them. */
#include "base/text.h"
#include "web/field.h"
#include "web/noun_change.h"
#include "web/route.h"

#include <stdlib.h>
#include <string.h>

/* ---- showing ---- */

void api_lists_list(struct call *call)
{
	struct nouns *nouns;
	json_t *lists;

	if (!nouns_begin(call, &nouns))
		return;
	lists = json_array();
	for (u32 i = 0; i < nouns->list_count; i++)
		json_array_append_new(lists, noun_list_json(&nouns->lists[i], call->web->reader));
	call_answer(call, 200, json_pack("{s:o}", "lists", lists));
	nouns_end(call, nouns);
}

void api_attributes_list(struct call *call)
{
	struct nouns *nouns;
	json_t *attributes;

	if (!nouns_begin(call, &nouns))
		return;
	attributes = json_array();
	for (u32 i = 0; i < nouns->attribute_count; i++)
		json_array_append_new(attributes, noun_attribute_json(&nouns->attributes[i]));
	call_answer(call, 200, json_pack("{s:o}", "attributes", attributes));
	nouns_end(call, nouns);
}

void api_list_show(struct call *call)
{
	const struct audience_list *list;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	list = nouns_list_named(nouns, slice_of(call->argument));
	if (list)
		call_answer(call, 200, noun_list_json(list, call->web->reader));
	else
		call_refuse(call, 404, NULL, "there is no such list");
	nouns_end(call, nouns);
}

void api_attribute_show(struct call *call)
{
	const struct attribute *attribute;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	attribute = nouns_attribute_named(nouns, slice_of(call->argument));
	if (attribute)
		call_answer(call, 200, noun_attribute_json(attribute));
	else
		call_refuse(call, 404, NULL, "there is no such attribute");
	nouns_end(call, nouns);
}

/* ---- what became of it ---- */

static void answer_noun(struct call *call, const struct noun_change *change)
{
	u32 status = change->id == 0 ? 201 : 200;

	if (audience_begin_read(call->web->reader) != STORE_OK) {
		audience_abort(call->web->reader);
		call_refuse(call, 503, NULL, "contacts cannot be read");
		return;
	}
	if (change->is_list)
		call_answer(call, status, noun_list_json(&change->list, call->web->reader));
	else
		call_answer(call, status, noun_attribute_json(&change->attribute));
	audience_abort(call->web->reader);
}

static void answer(struct call *call, struct noun_change *change)
{
	const char *noun = change->is_list ? "list" : "attribute";

	switch (change->outcome) {
	case NOUN_HAS_MORE:
	case NOUN_DONE:
		if (change->deletes)
			call_answer_nothing(call, 204);
		else
			answer_noun(call, change);
		break;
	case NOUN_IS_TAKEN:
		call_refuse(call, 409, "/name", "another %s has this name", noun);
		break;
	case NOUN_IS_NOT_THERE:
		call_refuse(call, 404, NULL, "there is no such %s", noun);
		break;
	case NOUN_IS_USED:
		call_refuse(call, 409, NULL, "the sequence \"%s\" uses this %s", change->user,
			    noun);
		break;
	case NOUN_IS_TOO_MANY:
		call_refuse(call, 409, NULL, "there are as many as there may be");
		break;
	}
}

/* ---- reading what is wanted ---- */

static bool refuse(struct call *call, const char *pointer, const char *why)
{
	call_refuse(call, 422, pointer, "%s", why);
	return false;
}

static bool read_text(struct call *call, const char *name, char *out, size_t size)
{
	const char *text;

	if (!field_text(call, call->json, "", name, size - 1, &text))
		return false;
	if (text)
		slice_copy(out, size, slice_of(text));
	return true;
}

static bool read_flag(struct call *call, const char *name, const char *pointer, bool *out)
{
	const json_t *value = json_object_get(call->json, name);

	if (value && !json_is_boolean(value))
		return refuse(call, pointer, "must be true or false");
	if (value)
		*out = json_is_true(value);
	return true;
}

static bool read_list(struct noun_change *change, struct call *call)
{
	static const char *const names[] = { "name", "title", "description", "public",
					     "double_opt_in", "default", NULL };
	const char *description = NULL;

	if (!field_known(call, call->json, "", names) ||
	    !read_text(call, "name", change->name, sizeof(change->name)) ||
	    !read_text(call, "title", change->title, sizeof(change->title)) ||
	    !field_body(call, call->json, "", "description", &description) ||
	    !read_flag(call, "public", "/public", &change->list.is_public) ||
	    !read_flag(call, "double_opt_in", "/double_opt_in", &change->list.is_double) ||
	    !read_flag(call, "default", "/default", &change->list.is_default))
		return false;
	if (description && !slice_copy(change->text, LIST_DESCRIPTION_MAX + 1,
				       slice_of(description)))
		return refuse(call, "/description", "description is too long");
	return audience_list_name_is_good(slice_of(change->name)) ||
	       refuse(call, "/name",
		      "a list's name is a letter and up to 63 of A-Z a-z 0-9 _ -");
}

static bool read_choices(struct noun_change *change, struct call *call)
{
	struct buf choices = { .ptr = change->text,
			       .size = ATTRIBUTE_CHOICES_MAX,
			       .max = ATTRIBUTE_CHOICES_MAX };
	char pointer[FIELD_POINTER_MAX];
	const json_t *list;

	if (!field_list(call, call->json, "", "choices", 1000, &list))
		return false;
	if (!list)
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct slice text = { json_string_value(item), json_string_length(item) };

		field_pointer_at(pointer, "/choices", i);
		if (text.len == 0 || field_has_control(text))
			return refuse(call, pointer, "a choice is a line of text");
		if (i > 0)
			buf_add_char(&choices, '\n');
		buf_add_slice(&choices, text);
	}
	change->text[choices.len] = '\0';
	return !choices.failed || refuse(call, "/choices", "choices are too long together");
}

static bool read_attribute(struct noun_change *change, struct call *call)
{
	static const char *const names[] = { "name", "type", "label_ja", "label_en",
					     "required", "choices", NULL };
	struct attribute *attribute = &change->attribute;
	enum attribute_type was = attribute->type;
	const char *type;

	if (!field_known(call, call->json, "", names) ||
	    !read_text(call, "name", change->name, sizeof(change->name)) ||
	    !read_text(call, "label_ja", change->title, sizeof(change->title)) ||
	    !read_text(call, "label_en", change->title_en, sizeof(change->title_en)) ||
	    !field_text(call, call->json, "", "type", 16, &type) ||
	    !read_flag(call, "required", "/required", &attribute->is_required) ||
	    !read_choices(change, call))
		return false;
	for (u32 i = ATTRIBUTE_TEXT; type && i < ATTRIBUTE_TYPES; i++) {
		if (strcmp(type, attribute_type_names[i]) == 0)
			attribute->type = (enum attribute_type)i;
	}
	if (type && strcmp(type, attribute_type_names[attribute->type]) != 0)
		return refuse(call, "/type", "a type is text, number, date, choice or yes-no");
	if (change->id != 0 && attribute->type != was)
		return refuse(call, "/type", "a type stays: values have its form");
	if (attribute->type == ATTRIBUTE_CHOICE && !change->text[0])
		return refuse(call, "/choices", "an attribute to be chosen has choices");
	return attribute_name_is_good(slice_of(change->name)) ||
	       refuse(call, "/name",
		      "an attribute's name is a letter and up to 63 of A-Z a-z 0-9 _, and none "
		      "that every contact has");
}

/* ---- changing ---- */

static bool load_list(struct noun_change *change, const struct nouns *nouns, const char *argument)
{
	const struct audience_list *list = nouns_list_named(nouns, slice_of(argument));

	if (!list)
		return false;
	change->id = list->id;
	change->list = *list;
	slice_copy(change->name, sizeof(change->name), list->name);
	slice_copy(change->title, sizeof(change->title), list->title);
	slice_copy(change->text, sizeof(change->text), list->description);
	return true;
}

static bool load_attribute(struct noun_change *change, const struct nouns *nouns,
			   const char *argument)
{
	const struct attribute *attribute = nouns_attribute_named(nouns, slice_of(argument));

	if (!attribute)
		return false;
	change->id = attribute->id;
	change->attribute = *attribute;
	slice_copy(change->name, sizeof(change->name), attribute->name);
	slice_copy(change->title, sizeof(change->title), attribute->label_ja);
	slice_copy(change->title_en, sizeof(change->title_en), attribute->label_en);
	slice_copy(change->text, sizeof(change->text), attribute->choices);
	return true;
}

/* `is_new` or of the name in the path. */
static void change_noun(struct call *call, bool is_list, bool is_new, bool deletes)
{
	struct noun_change *change = calloc(1, sizeof(*change));
	struct nouns *nouns;
	bool good = true;

	if (!change) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	change->is_list = is_list;
	change->deletes = deletes;
	change->answer = answer;
	change->attribute.type = ATTRIBUTE_TEXT;
	if (!is_new) {
		if (!nouns_begin(call, &nouns)) {
			free(change);
			return;
		}
		good = is_list ? load_list(change, nouns, call->argument) :
				 load_attribute(change, nouns, call->argument);
		nouns_end(call, nouns);
		if (!good)
			call_refuse(call, 404, NULL, "there is no such %s",
				    is_list ? "list" : "attribute");
	}
	if (good && !deletes)
		good = is_list ? read_list(change, call) : read_attribute(change, call);
	if (good)
		noun_change_give(change, call);
	else
		free(change);
}

void api_lists_add(struct call *call)
{
	change_noun(call, true, true, false);
}

void api_list_change(struct call *call)
{
	change_noun(call, true, false, false);
}

void api_list_delete(struct call *call)
{
	change_noun(call, true, false, true);
}

void api_attributes_add(struct call *call)
{
	change_noun(call, false, true, false);
}

void api_attribute_change(struct call *call)
{
	change_noun(call, false, false, false);
}

void api_attribute_delete(struct call *call)
{
	change_noun(call, false, false, true);
}
