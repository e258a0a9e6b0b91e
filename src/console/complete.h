/*
 * What may come next in a line that is being typed: the table of commands and their options tells,
 * and for names (campaigns, sites, services, interfaces...) somebody who knows them. No terminal
 * here.
 */
#ifndef CONSOLE_COMPLETE_H
#define CONSOLE_COMPLETE_H

#include "base/arena.h"
#include "base/types.h"

#define COMPLETIONS_MAX 512

/* Words that the table does not know by itself. */
enum name_kind {
	NAME_NONE,
	NAME_CAMPAIGN,
	NAME_SITE,
	NAME_CUSTOMER, /* domain that mail is sent from */
	NAME_SERVICE,
	NAME_INTERFACE,
	NAME_SETTING, /* of `network set`: OPTION= */
	NAME_FILE,
	NAME_COMMAND,
	NAME_ZONE, /* time zone */
	NAME_TYPE, /* of DNS records */
};

struct candidate {
	const char *word;
	const char *help; /* NULL: none */
};

struct completions {
	struct slice typed; /* the word so far, without quotes: into `words` of complete_line */
	size_t start;	    /* where it begins in the line, quotes included */
	char quote;	    /* the quote that is open */
	bool is_help;	    /* options are wanted as well where a name may stand */
	const char *hint;   /* what is asked for where no words can be offered: "DOMAIN"; or NULL */
	struct candidate items[COMPLETIONS_MAX];
	size_t count;
	struct arena texts; /* of the words */
};

/* Offers a word; only one that begins with what was typed is taken, and only once. Texts are
 * copied. */
void completions_offer(struct completions *completions, const char *word, const char *help);

/* Offers the names of that kind; may offer none. */
typedef void complete_names(enum name_kind kind, struct completions *completions);

struct words;
/*
 * Fills in *completions (completions_done frees it) for a line up to the cursor. Candidates are in
 * the order of the table, names as they came. `is_help`: for reading, not for completing; then
 * options are told, too, where a name may stand.
 */
void complete_line(struct slice line, bool is_help, struct words *words, complete_names *names,
		   struct completions *completions);
/* The same where the whole line is one word of that kind, as answers are. */
void complete_answer(struct slice line, enum name_kind kind, complete_names *names,
		     struct completions *completions);
void completions_done(struct completions *completions);

/* Bytes that all candidates begin with; at least what was typed. */
size_t completions_common(const struct completions *completions);

#endif
