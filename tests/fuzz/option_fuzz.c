/*
 * Any words as a command line (one on a line): the parser says yes or no without harm, keeps
 * the other words in their order, and what it accepts reads the same when options come as
 * --name=VALUE.
 */
#include "base/check.h"
#include "base/text.h"
#include "console/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32
/* Any number may be an option's value: what stays apart when it begins as either was not given. */
#define UNSET 1ull
#define UNSET_TOO 2ull
#define UNSET_WORD 99

#define LINES_HEAD 0

static const struct slice known_lines[] = {
	SLICE("--flag\n"),       SLICE("--text\n"),     SLICE("--text=x\n"), SLICE("--number=12\n"),
	SLICE("--number\n"),     SLICE("--duration\n"), SLICE("90s\n"),      SLICE("12h\n"),
	SLICE("--words\n"),      SLICE("red,green\n"),  SLICE("--word\n"),   SLICE("blue\n"),
	SLICE("--other=blue\n"), SLICE("--\n"),         SLICE("-\n"),        SLICE("-x\n"),
	SLICE("--flag=1\n"),     SLICE("--numbr=3\n"),  SLICE("word\n"),     SLICE("="),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct values {
	bool flag;
	const char *text;
	u64 number;
	u64 duration;
	u32 words;
	u32 word;
	u32 other;
};

static const char *const colours[] = { "red", "green", "blue", NULL };

static bool parse(struct values *values, u64 unset, int argc, char **argv, int *words,
		  struct error *error)
{
	const struct option first[] = {
		{ "flag", OPTION_FLAG, &values->flag, NULL, "a flag", NULL },
		{ "text", OPTION_TEXT, &values->text, "TEXT", "a text", NULL },
		{ "number", OPTION_NUMBER, &values->number, "N", "a number", NULL },
		{ "duration", OPTION_DURATION, &values->duration, "TIME", "a duration", NULL },
	};
	const struct option second[] = {
		{ "words", OPTION_WORDS, &values->words, "LIST", "words", colours },
		{ "word", OPTION_WORD, &values->word, "WORD", "a word", colours },
		{ "other", OPTION_WORD, &values->other, "WORD", NULL, colours },
	};
	const struct option_table tables[] = { { first, array_count(first) },
					       { second, array_count(second) } };

	*values = (struct values){
		.number = unset, .duration = unset, .word = UNSET_WORD, .other = UNSET_WORD
	};
	return option_parse(tables, array_count(tables), argc, argv, words, error);
}

static void check_values(const struct values *values)
{
	ASSERT(!values->text || values->text[0]);
	ASSERT(values->words < 8);
	ASSERT((values->word < 3 || values->word == UNSET_WORD) &&
	       (values->other < 3 || values->other == UNSET_WORD));
}

/* The words that are no options come first, in the order in which they stood. */
static void check_words(char **argv, int words, char **before, int count)
{
	int at = 0;

	ASSERT(words >= 0 && words <= count);
	for (int i = 0; i < words; i++) {
		while (at < count && before[at] != argv[i])
			at++;
		ASSERT(at < count);
		at++;
	}
}

/* `--name VALUE` as `--name=VALUE`: the same must be read. */
static void check_joined(const struct values *values, char **before, int count, int words)
{
	static char joined[WORDS_MAX][8200 * 2];
	char *argv[WORDS_MAX];
	char *argv_too[WORDS_MAX];
	struct values again;
	struct values too;
	struct error error;
	int again_words;
	int argc = 0;
	bool over = false;
	u32 options = 0;

	for (int i = 0; i < count; i++) {
		bool is_option = !over && strncmp(before[i], "--", 2) == 0;

		over |= strcmp(before[i], "--") == 0;
		argv[argc] = before[i];
		options += is_option && before[i][2] && strncmp(before[i], "--flag", 7) != 0;
		if (is_option && before[i][2] && !strchr(before[i], '=') &&
		    strcmp(before[i], "--flag") != 0) {
			ASSERT(i + 1 < count);
			snprintf(joined[argc], sizeof(joined[argc]), "%s=%s", before[i],
				 before[i + 1]);
			argv[argc] = joined[argc];
			i++;
		}
		argc++;
	}
	memcpy(argv_too, argv, sizeof(argv));
	ASSERT(parse(&too, UNSET_TOO, argc, argv_too, &again_words, &error));
	/* Each came once: as many as have a value now. */
	ASSERT(options == (u32) !!values->text + (values->number == too.number) +
				  (values->duration == too.duration) + (values->words != 0) +
				  (values->word != UNSET_WORD) + (values->other != UNSET_WORD));
	ASSERT(parse(&again, UNSET, argc, argv, &again_words, &error) && again_words == words);
	ASSERT(again.flag == values->flag && again.number == values->number);
	ASSERT(again.duration == values->duration && again.words == values->words);
	ASSERT(again.word == values->word && again.other == values->other);
	ASSERT(!again.text == !values->text &&
	       (!again.text || strcmp(again.text, values->text) == 0));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1); /* of its own size, for the sanitizer */
	char *argv[WORDS_MAX + 1] = { NULL };
	char *before[WORDS_MAX];
	struct values values;
	struct error error = { "" };
	int argc = 0;
	int words;

	ASSERT(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t at = 0; at < size && argc < WORDS_MAX; at += strlen(text + at) + 1) {
		argv[argc++] = text + at;
		text[at + strcspn(text + at, "\n")] = '\0';
	}
	memcpy(before, argv, sizeof(before));
	if (parse(&values, UNSET, argc, argv, &words, &error)) {
		check_values(&values);
		check_words(argv, words, before, argc);
		check_joined(&values, before, argc, words);
	} else {
		ASSERT(error.text[0]);
	}
	free(text);
	return 0;
}
