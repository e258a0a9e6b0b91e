#include "console/complete.h"

#include "base/buf.h"
#include "base/text.h"
#include "console/command.h"
#include "console/words.h"

#include <stdio.h>

#define TEXT_MAX (64u << 10)

/* ---- the list ---- */

/* NULL: no room. */
static const char *keep(struct completions *c, struct slice text)
{
	char *room = arena_take(&c->texts, text.len + 1);

	if (room && text.len > 0)
		memcpy(room, text.ptr, text.len);
	return room;
}

void completions_offer(struct completions *c, const char *word, const char *help)
{
	const char *kept;

	if (!slice_has_prefix(slice_of(word), c->typed) || c->count == COMPLETIONS_MAX)
		return;
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->items[i].word, word) == 0)
			return;
	}
	kept = keep(c, slice_of(word));
	if (kept)
		c->items[c->count++] =
			(struct candidate){ kept, help ? keep(c, slice_of(help)) : NULL };
}

size_t completions_common(const struct completions *c)
{
	const char *first = c->count > 0 ? c->items[0].word : "";
	size_t len = strlen(first);

	for (size_t i = 1; i < c->count; i++) {
		size_t same = 0;

		while (same < len && c->items[i].word[same] == first[same])
			same++;
		len = same;
	}
	return len > c->typed.len ? len : c->typed.len;
}

void completions_done(struct completions *c)
{
	arena_done(&c->texts);
}

/* ---- from the table ---- */

/* The group with the names of its commands as help. */
static void offer_whole_group(struct completions *c, const char *group)
{
	struct buf names;

	buf_init(&names, 256);
	for (size_t i = 0; i < command_count(); i++) {
		if (command_at(i)->group && strcmp(command_at(i)->group, group) == 0)
			buf_add_format(&names, "%s%s", names.len > 0 ? ", " : "",
				       command_at(i)->name);
	}
	completions_offer(c, group, buf_text(&names));
	buf_done(&names);
}

static void offer_first_words(struct completions *c)
{
	for (size_t i = 0; i < command_count(); i++) {
		if (command_at(i)->group)
			offer_whole_group(c, command_at(i)->group);
		else
			completions_offer(c, command_at(i)->name, command_at(i)->summary);
	}
	completions_offer(c, "help", "explain commands");
	completions_offer(c, "history", "what was typed");
	completions_offer(c, "exit", "end this session");
}

static void offer_group(struct completions *c, const char *group)
{
	for (size_t i = 0; i < command_count(); i++) {
		if (!command_at(i)->group || strcmp(command_at(i)->group, group) != 0)
			continue;
		completions_offer(c, command_at(i)->name, command_at(i)->summary);
	}
}

/* ---- words of a command ---- */

/* What the table calls a value, and who knows such values. */
static enum name_kind kind_of(struct slice value)
{
	static const struct {
		const char *value;
		enum name_kind kind;
	} kinds[] = {
		{ "ID|NAME", NAME_CAMPAIGN },	{ "DOMAIN", NAME_CUSTOMER },
		{ "SERVICE", NAME_SERVICE },	{ "INTERFACE", NAME_INTERFACE },
		{ "OPTION=VALUE", NAME_SETTING }, { "FILE", NAME_FILE },
		{ "FILE|URL", NAME_FILE },	{ "COMMAND", NAME_COMMAND },
		{ "SITE", NAME_SITE },		{ "TYPE", NAME_TYPE },
	};

	for (size_t i = 0; i < array_count(kinds); i++) {
		if (slice_equal(value, slice_of(kinds[i].value)))
			return kinds[i].kind;
	}
	return NAME_NONE;
}

/* "list|resend|drop" offers its words, "DOMAIN" the names that somebody knows. */
static void offer_value(struct completions *c, struct slice value, complete_names *names)
{
	enum name_kind kind = kind_of(value);

	if (value.len > 0 && !c->hint)
		c->hint = keep(c, value);
	if (kind != NAME_NONE) {
		names(kind, c);
		return;
	}
	if (value.len == 0 || !(value.ptr[0] >= 'a' && value.ptr[0] <= 'z'))
		return;
	while (value.ptr) {
		char word[64];

		slice_copy(word, sizeof(word), slice_split(&value, '|'));
		completions_offer(c, word, NULL);
	}
}

/*
 * The n-th word of a usage such as "[INTERFACE] OPTION=VALUE ..."; "..." stands for the one before.
 * In brackets: it may be left out.
 */
static struct slice usage_word(const char *usage, u32 n, bool *is_optional)
{
	struct slice rest = slice_of(usage);
	struct slice word = SLICE("");

	*is_optional = false;
	for (u32 i = 0; rest.ptr; i++) {
		struct slice next = slice_split(&rest, ' ');

		*is_optional = next.len > 0 && next.ptr[0] == '[';
		if (*is_optional)
			next = slice_from(next, 1);
		while (next.len > 0 && (next.ptr[next.len - 1] == ']'))
			next.len--;
		if (slice_equal(next, SLICE("...")))
			return word;
		if (slice_has_prefix(next, SLICE("--")))
			return SLICE("");
		word = next;
		if (i == n)
			return word;
	}
	return SLICE("");
}

static const struct option *option_of(const struct option *options, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, options[i].name) == 0)
			return &options[i];
	}
	return NULL;
}

static void offer_options(struct completions *c, const struct option *options, size_t count)
{
	char word[64];

	for (size_t i = 0; i < count; i++) {
		snprintf(word, sizeof(word), "--%s", options[i].name);
		completions_offer(c, word, options[i].help);
	}
	completions_offer(c, "--json", "the answer as JSON");
	completions_offer(c, "--help", "explain the command");
}

static void offer_option_value(struct completions *c, const struct option *option,
			       complete_names *names)
{
	for (size_t i = 0; option->words && option->words[i]; i++)
		completions_offer(c, option->words[i], NULL);
	c->hint = option->value;
	if (!option->words && strcmp(option->name, "site") == 0)
		names(NAME_SITE, c);
	else if (!option->words)
		offer_value(c, slice_of(option->value), names);
}

static void complete_command(struct completions *c, const struct command *command, char **words,
			     int count, complete_names *names)
{
	struct option options[COMMAND_OPTIONS_MAX];
	size_t option_count = command_options(command, options);
	const struct option *option = NULL;
	bool is_optional;
	u32 position = 0;

	for (int i = 0; i + 1 < count; i++) {
		option = option_of(options, option_count, words[i]);
		if (option && option->kind == OPTION_FLAG)
			option = NULL;
		else if (option && i + 2 < count)
			i++, option = NULL;
		else if (!option && words[i][0] != '-')
			position++;
	}
	if (option) {
		offer_option_value(c, option, names);
	} else if (words[count - 1][0] == '-') {
		offer_options(c, options, option_count);
	} else {
		offer_value(c, usage_word(command->usage, position, &is_optional), names);
		if (is_optional)
			offer_value(c, usage_word(command->usage, position + 1, &is_optional),
				    names);
		if (c->typed.len == 0 && (c->is_help || (c->count == 0 && !c->hint)))
			offer_options(c, options, option_count);
	}
}

/* ---- the line ---- */

static void complete_words(struct completions *c, char **at, int count, complete_names *names)
{
	const struct command *command;
	const char *group;
	struct error error;
	int used;

	if (count == 1) {
		offer_first_words(c);
		return;
	}
	if (count == 2)
		offer_group(c, at[0]);
	command = command_find(at, count - 1, &used, &group, &error);
	if (command)
		complete_command(c, command, at + used, count - used, names);
}

void complete_answer(struct slice line, enum name_kind kind, complete_names *names,
		     struct completions *c)
{
	*c = (struct completions){ .typed = line };
	arena_init(&c->texts, 8192, TEXT_MAX);
	names(kind, c);
}

void complete_line(struct slice line, bool is_help, struct words *words, complete_names *names,
		   struct completions *c)
{
	int first = 0;

	*c = (struct completions){ .is_help = is_help };
	arena_init(&c->texts, 8192, TEXT_MAX);
	if (!words_split_open(words, line))
		return;
	c->typed = slice_of(words->at[words->count - 1]);
	c->start = words->last_start;
	c->quote = words->quote;
	while (first + 1 < words->count && (strcmp(words->at[first], "hikyaku") == 0 ||
					    strcmp(words->at[first], "help") == 0 ||
					    strcmp(words->at[first], "--json") == 0))
		first++;
	complete_words(c, words->at + first, words->count - first, names);
}
