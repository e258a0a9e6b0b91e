#include "base/config_file.h"

#include "base/check.h"
#include "base/config.h"
#include "base/text.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_MAX (1024 * 1024)

/* libconfuse gives its callbacks no pointer of ours; its scanner is global as well. */
static struct config_file *reading;

/*
 * When its scanner lacks memory it says so, but not whose and of which file, and ends the process:
 * the last word is ours.
 */
static void say_whose(void)
{
	if (reading)
		fprintf(stderr, "hikyaku: %s: out of memory\n", reading->name);
}

static bool is_list(const struct config_option *option)
{
	return option->kind == CONFIG_LIST || option->kind == CONFIG_DURATIONS;
}

static void refuse_at(struct config_file *file, const struct cfg_t *at, u32 line,
		      const char *option, const char *why)
{
	bool root = strcmp(at->name, file->root->name) == 0;

	if (file->refused)
		return;
	file->refused = true;
	error_set(file->error, "%s:%u: %s%s%s%s%s%s%s%s", file->name, line, root ? "" : at->name,
		  at->title ? " \"" : "", at->title ? at->title : "", at->title ? "\"" : "",
		  root ? "" : ": ", option ? option : "", option ? ": " : "", why);
}

bool config_file_refuse(struct config_file *file, struct cfg_t *at, const char *option,
			const char *fmt, ...)
{
	cfg_opt_t *opt = option ? cfg_getopt(at, option) : NULL;
	u32 line = (u32)at->line;
	char why[ERROR_TEXT_MAX];
	va_list args;

	if (opt && opt->def.number > 0)
		line = (u32)opt->def.number;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	refuse_at(file, at, line, option, why);
	return false;
}

static void on_error(cfg_t *at, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

static void on_error(cfg_t *at, const char *fmt, va_list args)
{
	char why[ERROR_TEXT_MAX];

	vsnprintf(why, sizeof(why), fmt, args);
	refuse_at(reading, at, (u32)at->line, NULL, why);
}

static const struct config_section *find_section(const struct config_section *in, const char *name)
{
	const struct config_section *found = NULL;

	if (strcmp(in->name, name) == 0)
		return in;
	for (size_t i = 0; i < in->inner_count && !found; i++)
		found = find_section(in->inner[i], name);
	return found;
}

static const struct config_option *find_option(const struct config_section *section,
					       const char *name)
{
	for (size_t i = 0; i < section->option_count; i++) {
		if (strcmp(section->options[i].name, name) == 0)
			return &section->options[i];
	}
	ASSERT(!"an option that no table has");
	return NULL;
}

/* Texts in lists must differ; of durations each may come again. */
static bool is_repeated(const struct config_option *option, const cfg_opt_t *opt, const char *value)
{
	if (option->kind != CONFIG_LIST)
		return false;
	for (unsigned int i = 0; i + 1 < opt->nvalues; i++) {
		if (strcmp(opt->values[i]->string, value) == 0)
			return true;
	}
	return false;
}

/*
 * libconfuse has read one value, opt->nvalues counts it already. For texts it does not use
 * def.number: there we keep the line where the option began, and see so that it is given a second
 * time.
 */
static int on_value(cfg_t *at, cfg_opt_t *opt, const char *value, void *result)
{
	const struct config_option *option =
		find_option(find_section(reading->root, at->name), opt->name);
	u32 line = (u32)at->line;
	struct config_why why;
	_Alignas(max_align_t) char field[sizeof(u64)];
	char text[ERROR_TEXT_MAX];

	if (opt->nvalues == 1 && opt->def.number > 0) {
		snprintf(text, sizeof(text), "given twice, first in line %ld", opt->def.number);
	} else if (opt->nvalues > CONFIG_LIST_MAX) {
		snprintf(text, sizeof(text), "more than %d items", CONFIG_LIST_MAX);
	} else if (is_repeated(option, opt, value)) {
		snprintf(text, sizeof(text), "\"%.80s\" is there twice", value);
	} else {
		arena_reset(&reading->scratch);
		if (opt->nvalues == 1)
			opt->def.number = at->line;
		if (config_value(option, slice_of(value), field, &reading->scratch, &why)) {
			memcpy(result, &value, sizeof(value));
			return 0;
		}
		snprintf(text, sizeof(text), "\"%.80s\" is not %s", value, why.text);
	}
	refuse_at(reading, at, line, opt->name, text);
	return -1;
}

static int on_section_end(cfg_t *at, cfg_opt_t *opt)
{
	if (opt->def.number > 0) {
		refuse_at(reading, at, (u32)at->line, opt->name, "this section is there twice");
		return -1;
	}
	opt->def.number = at->line;
	return 0;
}

/* The tables in libconfuse's form; it copies them, so that the scratch arena may hold them. */
static cfg_opt_t *make_options(struct arena *arena, const struct config_section *section)
{
	size_t count = section->option_count + section->inner_count;
	cfg_opt_t *opts = arena_take(arena, (count + 1) * sizeof(*opts));
	cfg_opt_t *next = opts;

	if (!opts)
		return NULL;
	for (size_t i = 0; i < section->option_count; i++, next++) {
		next->name = section->options[i].name;
		next->type = CFGT_STR;
		next->flags = CFGF_NODEFAULT | (is_list(&section->options[i]) ? CFGF_LIST : 0);
		next->parsecb = on_value;
	}
	for (size_t i = 0; i < section->inner_count; i++, next++) {
		const struct config_section *inner = section->inner[i];

		next->name = inner->name;
		next->type = CFGT_SEC;
		next->flags = CFGF_NODEFAULT;
		if (inner->titled)
			next->flags |= CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		else
			next->validcb = on_section_end;
		next->subopts = make_options(arena, inner);
		if (!next->subopts)
			return NULL;
	}
	return opts;
}

/* libconfuse wants a NUL behind it. */
static bool copy_text(struct config_file *file, struct slice text)
{
	file->text = malloc(text.len + 1);
	if (!file->text)
		return error_set(file->error, "%s: out of memory", file->name);
	if (text.len > 0)
		memcpy(file->text, text.ptr, text.len);
	file->text[text.len] = '\0';
	return true;
}

bool config_file_open(struct config_file *file, const struct config_section *root,
		      struct slice text, size_t max, const char *name, struct error *error)
{
	static bool last_word;
	cfg_opt_t *opts;
	int parsed;

	ASSERT(!reading);
	if (!last_word)
		last_word = atexit(say_whose) == 0;
	*file = (struct config_file){ .name = name, .root = root, .error = error };
	arena_init(&file->scratch, 64 * 1024, SCRATCH_MAX);
	if (text.len > max)
		return error_set(error, "%s: longer than %zu bytes", name, max);
	if (!copy_text(file, text) || !config_clean(file->text, text.len, name, error))
		return false;
	opts = make_options(&file->scratch, root);
	file->tree = opts ? cfg_init(opts, CFGF_NONE) : NULL;
	if (!file->tree)
		return error_set(error, "%s: out of memory", name);
	reading = file;
	cfg_set_error_function(file->tree, on_error);
	errno = 0;
	parsed = cfg_parse_buf(file->tree, file->text);
	reading = NULL;
	/* What ran out of memory is not whole, and libconfuse cannot free it: it is left. */
	if (parsed != CFG_SUCCESS && errno == ENOMEM)
		file->tree = NULL;
	if (parsed == CFG_SUCCESS && !file->refused)
		return true;
	if (!file->refused)
		error_set(error, "%s: out of memory", name);
	return false;
}

void config_file_close(struct config_file *file)
{
	if (file->tree)
		cfg_free(file->tree);
	file->tree = NULL;
	free(file->text);
	file->text = NULL;
	arena_done(&file->scratch);
}

size_t config_file_count(struct cfg_t *at, const char *name)
{
	return cfg_size(at, name);
}

struct cfg_t *config_file_at(struct cfg_t *at, const char *name, size_t index)
{
	return index < cfg_size(at, name) ? cfg_getnsec(at, name, (unsigned int)index) : NULL;
}

const char *config_file_title(const struct cfg_t *at)
{
	return at->title ? at->title : "";
}

/* One item behind another, into the array of a list. */
static bool fill_item(const struct config_option *option, struct slice text, void *items,
		      size_t index, struct arena *arena)
{
	size_t size = option->kind == CONFIG_LIST ? sizeof(const char *) : sizeof(u64);
	struct config_why why;

	return config_value(option, text, (char *)items + index * size, arena, &why);
}

static void fill_list(const struct config_option *option, void *items, size_t count, void *field)
{
	struct config_list list = { items, count };
	struct config_durations durations = { items, count };

	if (option->kind == CONFIG_LIST)
		memcpy(field, &list, sizeof(list));
	else
		memcpy(field, &durations, sizeof(durations));
}

static bool fill_fallback(const struct config_option *option, void *field, struct arena *arena)
{
	struct slice rest = slice_of(option->fallback);
	struct config_why why;
	size_t count = 0;
	void *items;

	if (rest.len == 0)
		return true;
	if (!is_list(option))
		return config_value(option, rest, field, arena, &why);
	items = arena_take(arena, CONFIG_LIST_MAX * sizeof(u64));
	while (items && rest.ptr) {
		if (!fill_item(option, slice_split(&rest, ' '), items, count++, arena))
			return false;
	}
	fill_list(option, items, count, field);
	return items != NULL;
}

static bool fill_given(const struct config_option *option, const cfg_opt_t *opt, void *field,
		       struct arena *arena)
{
	struct config_why why;
	void *items;

	if (!is_list(option))
		return config_value(option, slice_of(opt->values[0]->string), field, arena, &why);
	items = arena_take(arena, opt->nvalues * sizeof(u64));
	for (unsigned int i = 0; items && i < opt->nvalues; i++) {
		if (!fill_item(option, slice_of(opt->values[i]->string), items, i, arena))
			return false;
	}
	fill_list(option, items, opt->nvalues, field);
	return items != NULL;
}

bool config_file_fill(struct config_file *file, struct cfg_t *at,
		      const struct config_section *section, enum config_fill fill, void *out,
		      struct arena *arena)
{
	for (size_t i = 0; i < section->option_count; i++) {
		const struct config_option *option = &section->options[i];
		cfg_opt_t *opt = cfg_getopt(at, option->name);
		void *field = (char *)out + option->offset;
		bool filled = true;

		ASSERT(opt);
		if (opt->nvalues > 0)
			filled = fill_given(option, opt, field, arena);
		else if (opt->def.number > 0)
			return config_file_refuse(file, at, option->name, "given twice");
		else if (fill == CONFIG_FILL_ALL && !option->fallback)
			return config_file_refuse(file, at, option->name, "is missing");
		else if (fill == CONFIG_FILL_ALL)
			filled = fill_fallback(option, field, arena);
		if (!filled)
			return config_file_refuse(file, at, option->name, "out of memory");
	}
	return true;
}

u64 config_file_given(struct cfg_t *at, const struct config_section *section)
{
	u64 given = 0;

	ASSERT(section->option_count <= 64);
	for (size_t i = 0; i < section->option_count; i++) {
		if (cfg_getopt(at, section->options[i].name)->nvalues > 0)
			given |= 1ull << i;
	}
	return given;
}

static size_t size_of(enum config_kind kind)
{
	switch (kind) {
	case CONFIG_TEXT:
		return sizeof(const char *);
	case CONFIG_FLAG:
		return sizeof(bool);
	case CONFIG_NUMBER:
	case CONFIG_CHOICE:
		return sizeof(u32);
	case CONFIG_DURATION:
	case CONFIG_SIZE:
		return sizeof(u64);
	case CONFIG_LIST:
		return sizeof(struct config_list);
	case CONFIG_DURATIONS:
		return sizeof(struct config_durations);
	}
	return 0;
}

void config_section_take(const struct config_section *section, u64 options, const void *from,
			 void *to)
{
	for (size_t i = 0; i < section->option_count; i++) {
		const struct config_option *option = &section->options[i];

		if (options >> i & 1)
			memcpy((char *)to + option->offset, (const char *)from + option->offset,
			       size_of(option->kind));
	}
}

bool config_file_fill_fallbacks(struct config_file *file, const struct config_section *section,
				void *out, struct arena *arena)
{
	for (size_t i = 0; i < section->option_count; i++) {
		const struct config_option *option = &section->options[i];

		if (!option->fallback)
			return error_set(file->error, "%s: section %s is missing", file->name,
					 section->name);
		if (!fill_fallback(option, (char *)out + option->offset, arena))
			return error_set(file->error, "%s: out of memory", file->name);
	}
	return true;
}
