#include "console/option.h"

#include "base/text.h"
#include "console/nearest.h"

#include <string.h>

#define TABLES_MAX 4
#define OPTIONS_MAX 64 /* of one table; bits of a u64 */

struct parse {
	const struct option_table *tables;
	size_t table_count;
	u64 given[TABLES_MAX];
};

static const struct option *find(struct parse *parse, struct slice name, bool *was_given)
{
	for (size_t t = 0; t < parse->table_count; t++) {
		for (size_t i = 0; i < parse->tables[t].count; i++) {
			const struct option *option = &parse->tables[t].options[i];

			if (!slice_equal(name, slice_of(option->name)))
				continue;
			*was_given = parse->given[t] >> i & 1;
			parse->given[t] |= 1ull << i;
			return option;
		}
	}
	return NULL;
}

static bool unknown(const struct parse *parse, struct slice name, struct error *error)
{
	struct nearest nearest;
	char typed[64];

	slice_copy(typed, sizeof(typed), name);
	nearest_init(&nearest, typed);
	for (size_t t = 0; t < parse->table_count; t++) {
		for (size_t i = 0; i < parse->tables[t].count; i++)
			nearest_offer(&nearest, parse->tables[t].options[i].name);
	}
	if (nearest_word(&nearest))
		return error_set(error, "unknown option --%s; did you mean --%s?", typed,
				 nearest_word(&nearest));
	return error_set(error, "unknown option --%s", typed);
}

/* ---- values ---- */

static int word_index(const char *const *words, struct slice text)
{
	for (int i = 0; words[i]; i++) {
		if (slice_equal(text, slice_of(words[i])))
			return i;
	}
	return -1;
}

static bool bad_word(const struct option *option, struct slice text, struct error *error)
{
	char list[ERROR_TEXT_MAX / 2] = "";
	struct nearest nearest;
	char typed[64];
	size_t len = 0;

	slice_copy(typed, sizeof(typed), text);
	nearest_init(&nearest, typed);
	for (size_t i = 0; option->words[i]; i++) {
		size_t n = strlen(option->words[i]);

		nearest_offer(&nearest, option->words[i]);
		if (len + n + 3 > sizeof(list))
			continue;
		if (len > 0)
			list[len++] = ',', list[len++] = ' ';
		memcpy(list + len, option->words[i], n + 1);
		len += n;
	}
	if (nearest_word(&nearest))
		return error_set(error, "--%s: \"%s\" is not one of %s; did you mean %s?",
				 option->name, typed, list, nearest_word(&nearest));
	return error_set(error, "--%s: \"%s\" is not one of %s", option->name, typed, list);
}

static bool read_words(const struct option *option, const char *value, struct error *error)
{
	struct slice rest = slice_of(value);
	u32 bits = 0;

	while (rest.ptr) {
		struct slice item = slice_trim(slice_split(&rest, ','));
		int index = word_index(option->words, item);

		if (index < 0)
			return bad_word(option, item, error);
		bits |= 1u << index;
	}
	*(u32 *)option->out = bits;
	return true;
}

static bool read_value(const struct option *option, const char *value, struct error *error)
{
	int index;

	switch (option->kind) {
	case OPTION_FLAG:
		break;
	case OPTION_TEXT:
		*(const char **)option->out = value;
		return *value || error_set(error, "--%s: empty", option->name);
	case OPTION_NUMBER:
		return slice_to_u64(slice_of(value), option->out) ||
		       error_set(error, "--%s: \"%.64s\" is not a whole number", option->name,
				 value);
	case OPTION_DURATION:
		return slice_to_duration_ms(slice_of(value), option->out) ||
		       error_set(error,
				 "--%s: \"%.64s\" is not a duration such as 90s, 10m, 12h or 3d",
				 option->name, value);
	case OPTION_WORDS:
		return read_words(option, value, error);
	case OPTION_WORD:
		index = word_index(option->words, slice_of(value));
		if (index < 0)
			return bad_word(option, slice_of(value), error);
		*(u32 *)option->out = (u32)index;
		return true;
	}
	return false;
}

/* Handles argv[at]; returns how many words were used up, 0 on refusal. */
static int take_option(struct parse *parse, int left, char **at, struct error *error)
{
	const char *text = at[0] + 2;
	const char *equals = strchr(text, '=');
	struct slice name = { text, equals ? (size_t)(equals - text) : strlen(text) };
	bool was_given = false;
	const struct option *option = find(parse, name, &was_given);

	if (!option) {
		unknown(parse, name, error);
		return 0;
	}
	if (option->kind == OPTION_FLAG) {
		if (equals) {
			error_set(error, "--%s takes no value", option->name);
			return 0;
		}
		*(bool *)option->out = true;
		return 1;
	}
	if (was_given) {
		error_set(error, "--%s is given twice", option->name);
		return 0;
	}
	if (!equals && left < 2) {
		error_set(error, "--%s needs a value: --%s %s", option->name, option->name,
			  option->value);
		return 0;
	}
	if (!read_value(option, equals ? equals + 1 : at[1], error))
		return 0;
	return equals ? 1 : 2;
}

bool option_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
		  int *words, struct error *error)
{
	struct parse parse = { .tables = tables, .table_count = table_count };
	bool is_over = false;
	int used;

	*words = 0;
	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (is_over || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[(*words)++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			is_over = true;
		} else if (argv[i][1] != '-') {
			return error_set(error, "unknown option %.64s; options begin with --",
					 argv[i]);
		} else {
			used = take_option(&parse, argc - i, &argv[i], error);
			if (used == 0)
				return false;
		}
	}
	return true;
}
