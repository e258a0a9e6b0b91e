/*
 * Private to config*.c: tables that say which options exist, and the tree that libconfuse makes of
 * a file by them. For libconfuse every value is text; numbers, durations and shapes are read by the
 * tables here, so that each refusal names file, line, section and option.
 *
 * A value is checked while its line is being read and converted once more when the tree is walked;
 * the second time it cannot fail. The line of an option stays in the tree for checks of several
 * options at once.
 */
#ifndef BASE_CONFIG_FILE_H
#define BASE_CONFIG_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config_text.h"
#include "base/error.h"
#include "base/types.h"

struct cfg_t; /* a section of the tree */

enum config_kind {		     /* type of the field at `offset` */
		   CONFIG_TEXT,	     /* const char * */
		   CONFIG_FLAG,	     /* bool */
		   CONFIG_NUMBER,    /* u32 */
		   CONFIG_DURATION,  /* u64, ms */
		   CONFIG_SIZE,	     /* u64, bytes */
		   CONFIG_CHOICE,    /* an enum: index into choices */
		   CONFIG_LIST,	     /* struct config_list */
		   CONFIG_DURATIONS, /* struct config_durations */
};

struct config_option {
	const char *name;
	enum config_kind kind;
	size_t offset;
	/* When the option is not given; items of lists separated by spaces; NULL: it must be given.
	 */
	const char *fallback; /* "": text stays NULL, lists empty */
	u64 min;	      /* of numbers, durations and sizes */
	u64 max;
	config_shape *shape; /* of texts and list items */
	const char *expects; /* "a domain name": for the refusal; choices: "full or relaxed" */
	const char *const *choices; /* ends with NULL */
};

struct config_section {
	const char *name;
	const struct config_option *options;
	size_t option_count;
	bool titled; /* with a title it may be there several times, else once */
	const struct config_section *const *inner;
	size_t inner_count;
};

struct config_file {
	const char *name;
	const struct config_section *root; /* its name is "root" */
	struct cfg_t *tree;
	char *text; /* a copy that is changed while it is read */
	struct arena scratch;
	struct error *error;
	bool refused; /* the first refusal is the one that counts */
};

/* Of at most max bytes. False: error set; config_file_close is needed all the same. */
bool config_file_open(struct config_file *file, const struct config_section *root,
		      struct slice text, size_t max, const char *name, struct error *error)
	MUST_CHECK;
void config_file_close(struct config_file *file);

/* Sections of that name below `at`; the i-th of them; its title or "". */
size_t config_file_count(struct cfg_t *at, const char *name);
struct cfg_t *config_file_at(struct cfg_t *at, const char *name, size_t index);
const char *config_file_title(const struct cfg_t *at);

/* Only what the file gives (fields that it does not give stay), or everything with the fallbacks.
 */
enum config_fill { CONFIG_FILL_GIVEN, CONFIG_FILL_ALL };
/* Converts the options of one section into `out`; texts and lists go to the arena. */
bool config_file_fill(struct config_file *file, struct cfg_t *at,
		      const struct config_section *section, enum config_fill fill, void *out,
		      struct arena *arena) MUST_CHECK;
/* Which options of the section are given: bits by index, at most 64 of them. */
u64 config_file_given(struct cfg_t *at, const struct config_section *section);
/* Copies the values of those options; texts and lists stay where they are. */
void config_section_take(const struct config_section *section, u64 options, const void *from,
			 void *to);
/* The fallbacks alone, for a section that the file does not have. */
bool config_file_fill_fallbacks(struct config_file *file, const struct config_section *section,
				void *out, struct arena *arena) MUST_CHECK;

/*
 * "file:line: section: option: ..."; returns false. The line is the option's, or without an option
 * (or one that is not given) that of the section's end.
 */
bool config_file_refuse(struct config_file *file, struct cfg_t *at, const char *option,
			const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Converts one text by the option's table row; false: `why` says what was expected instead. */
struct config_why {
	char text[96];
};
bool config_value(const struct config_option *option, struct slice text, void *field,
		  struct arena *arena, struct config_why *why) MUST_CHECK;
/* The other way: behind what is in *out, items of lists with a space between. */
void config_value_format(const struct config_option *option, const void *field, struct buf *out);

#endif
