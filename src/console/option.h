/*
 * Options of the command line: long ones only (--name VALUE, --name=VALUE, --flag), anywhere among
 * the other words; "--" ends them. A table drives parsing, help and the hint for a mistyped name.
 */
#ifndef CONSOLE_OPTION_H
#define CONSOLE_OPTION_H

#include "base/error.h"
#include "base/types.h"

enum option_kind {
	OPTION_FLAG,     /* bool *         ; takes no value */
	OPTION_TEXT,     /* const char **  ; borrowed from argv; not empty */
	OPTION_NUMBER,   /* u64 * */
	OPTION_DURATION, /* u64 *          ; milliseconds */
	OPTION_WORDS,    /* u32 *          ; bits by index in `words`, from a list with commas */
	OPTION_WORD,     /* u32 *          ; index in `words` */
};

struct option {
	const char *name; /* without the dashes */
	enum option_kind kind;
	void *out;
	const char *value; /* what help calls the value: "FILE" */
	const char *help;  /* one line; NULL: not shown */
	const char *const *words; /* OPTION_WORD(S): the words, NULL at the end */
};

struct option_table {
	const struct option *options;
	size_t count;
};

/*
 * Reads argv[0..argc) by the tables (searched in order). Other words are moved to the front of
 * argv, *words is their number. An option that is given twice is refused, flags excepted. False
 * with a sentence that names the nearest option.
 */
bool option_parse(const struct option_table *tables, size_t table_count, int argc, char **argv,
		  int *words, struct error *error);

#endif
