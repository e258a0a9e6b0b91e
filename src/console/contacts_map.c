/* Which column of a file becomes what, as one types it. */
#include "console/contacts.h"

#include "base/text.h"
#include "console/link.h"

#include <string.h>

static struct slice column_name(const json_t *made, size_t index)
{
	return answer_text(json_array_get(json_object_get(made, "columns"), index), "name");
}

/* "Name", "#3"; count: there is none. */
static size_t find_column(const json_t *made, struct slice name)
{
	size_t count = json_array_size(json_object_get(made, "columns"));
	u32 number;

	for (size_t i = 0; i < count; i++) {
		if (slice_equal(column_name(made, i), name))
			return i;
	}
	if (slice_has_prefix(name, SLICE("#")) && slice_to_u32(slice_from(name, 1), &number) &&
	    number >= 1 && number <= count)
		return number - 1;
	return count;
}

static json_t *text_of(struct slice text)
{
	return json_stringn(text.ptr ? text.ptr : "", text.len);
}

/* "email", "state", "ignore", "list:NAME", "new:NAME[:TYPE]", else an attribute's name. */
static json_t *target_of(struct slice word)
{
	static const char *const plain[] = { "email", "state", "ignore" };
	struct slice rest;

	for (size_t i = 0; i < array_count(plain); i++) {
		if (slice_equal(word, slice_of(plain[i])))
			return json_pack("{s:s}", "target", plain[i]);
	}
	if (slice_has_prefix(word, SLICE("list:")))
		return json_pack("{s:s, s:o}", "target", "list", "list",
				 text_of(slice_from(word, 5)));
	if (!slice_has_prefix(word, SLICE("new:")))
		return json_pack("{s:s, s:o}", "target", "attribute", "attribute", text_of(word));
	rest = slice_from(word, 4);
	word = slice_split(&rest, ':');
	return json_pack("{s:s, s:o, s:o}", "target", "new", "name", text_of(word), "type",
			 rest.len > 0 ? text_of(rest) : json_string("text"));
}

/* As it was suggested, or `otherwise` for all that nothing is said of. */
static json_t *suggestions(const json_t *made, const json_t *otherwise)
{
	const json_t *columns = json_object_get(made, "columns");
	json_t *all = json_array();

	for (size_t i = 0; i < json_array_size(columns); i++) {
		const json_t *suggestion =
			json_object_get(json_array_get(columns, i), "suggestion");

		json_array_append_new(all, json_deep_copy(otherwise ? otherwise : suggestion));
	}
	return all;
}

static json_t *find_otherwise(struct slice map)
{
	while (map.len > 0) {
		struct slice pair = slice_split(&map, ',');

		if (slice_has_prefix(pair, SLICE("*=")))
			return target_of(slice_trim(slice_from(pair, 2)));
	}
	return NULL;
}

json_t *contacts_map(const json_t *made, const char *map, struct error *error)
{
	size_t count = json_array_size(json_object_get(made, "columns"));
	struct slice rest = slice_of(map ? map : "");
	json_t *otherwise = find_otherwise(rest);
	json_t *all = suggestions(made, otherwise);

	json_decref(otherwise);
	while (rest.len > 0) {
		struct slice target = slice_split(&rest, ',');
		struct slice name = slice_trim(slice_split(&target, '='));
		size_t column = find_column(made, name);

		target = slice_trim(target);
		if (slice_equal(name, SLICE("*")))
			continue;
		if (column == count || target.len == 0) {
			error_set(error,
				  column == count ? "--map: the file has no column \"%.*s\"" :
						    "--map: what does \"%.*s\" become?",
				  SLICE_FMT(slice_first(name, 100)));
			json_decref(all);
			return NULL;
		}
		json_array_set_new(all, column, target_of(target));
	}
	return all;
}

json_t *contacts_names(const char *names)
{
	struct slice rest = slice_of(names ? names : "");
	json_t *all = json_array();

	while (rest.len > 0) {
		struct slice name = slice_trim(slice_split(&rest, ','));

		if (name.len > 0)
			json_array_append_new(all, text_of(name));
	}
	return all;
}
