/*
 * A segment: a condition over one contact, such as
 *
 *	prefecture = "東京" and opened within 30 days and not in list "vip"
 *
 * It is a tree of groups (all of, any of, not) over tests. It is written in two ways that mean the
 * same: as text (segment_read_text, segment_print), and as JSON (web/segment_json.h), which builds
 * the tree with segment_add. Then it is *settled*: names of attributes and lists become ids, values
 * take the form of their type, redundant groups go, and the tests become a program of jumps
 * (segment_program.h). From there on it does not change and threads may share it.
 *
 * What tests mean:
 *   - Text is compared without regard to case; `begins`, `ends`, `contains` as they say.
 *   - A value that is not there is `empty`; every other test of it fails. `!=` is the opposite of
 *     `=` and nothing else, so it holds where there is no value.
 *   - Days are those of the clock's time zone. `before`, `until`, `on`, `since`, `after` a day are
 *     for moments, too: `since` from its beginning, `after` from its end on.
 *   - `within N days` of a moment: in the last N times 24 hours; of a date: today or one of the
 *     N days before it; `within next N days`: today or one of the N days after it. `older than N
 *     days`: longer ago than that.
 *   - `anniversary within N days`: the date comes round today or on one of the next N days, 29
 *     February on the 28th where there is none (base/calendar.h); `anniversary this month`: in this
 *     month.
 *   - `sent`, `opened` and `clicked` are about the last time; never is `not opened`.
 */
#ifndef CAMPAIGN_SEGMENT_H
#define CAMPAIGN_SEGMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

#define SEGMENT_TEXT_MAX 16384 /* bytes */
#define SEGMENT_NODES_MAX 400
#define SEGMENT_DEPTH_MAX 16
#define SEGMENT_VALUE_MAX 256 /* bytes of a value or a name */
#define SEGMENT_VALUES_MAX 400 /* of one test */
#define SEGMENT_DAYS_MAX 36500
#define SEGMENT_LINKS_MAX 64 /* of later ones nobody notes who clicked them (audience_activity.h) */

enum segment_kind {
	SEGMENT_ALL, /* of the children; of none: everybody */
	SEGMENT_ANY, /* of the children; of none: nobody */
	SEGMENT_NOT, /* its one child */
	SEGMENT_TEST,
};

enum segment_subject {
	SEGMENT_STATE, /* enum contact_state by name */
	SEGMENT_EMAIL, /* the address as it is sent to */
	SEGMENT_DOMAIN,
	SEGMENT_CREATED,
	SEGMENT_CHANGED,
	SEGMENT_ATTRIBUTE, /* by name or id */
	SEGMENT_MEMBER,	   /* of a list, by name or id; the time is that of the entry */
	SEGMENT_LEFT,	   /* unsubscribed from the list */
	SEGMENT_PENDING,   /* asked to confirm, and has not */
	SEGMENT_CONSENT,   /* the last one in the contact's history */
	SEGMENT_SENT,	   /* anything, or the campaign with that id */
	SEGMENT_OPENED,
	SEGMENT_CLICKED, /* also: one link of a campaign, by number */
	SEGMENT_SUBJECTS,
};

enum segment_operator {
	SEGMENT_EVER, /* there is such a time, or such an entry */
	SEGMENT_IS,
	SEGMENT_IS_NOT,
	SEGMENT_LESS, /* and before */
	SEGMENT_AT_MOST,
	SEGMENT_AT_LEAST,
	SEGMENT_MORE,
	SEGMENT_CONTAINS,
	SEGMENT_BEGINS,
	SEGMENT_ENDS,
	SEGMENT_IN,
	SEGMENT_EMPTY,
	SEGMENT_WITHIN,
	SEGMENT_WITHIN_NEXT,
	SEGMENT_OLDER,
	SEGMENT_ANNIVERSARY,
	SEGMENT_THIS_MONTH,
	SEGMENT_OPERATORS,
};

enum segment_type {
	SEGMENT_TEXT, /* text and choices */
	SEGMENT_NUMBER,
	SEGMENT_DATE,
	SEGMENT_YES_NO,
};

struct segment_node {
	enum segment_kind kind;
	struct segment_node *first; /* child */
	struct segment_node *next;  /* sibling */
	/* Of a test: */
	enum segment_subject subject;
	enum segment_operator op;
	enum segment_type type; /* of the values as written, then of what is tested */
	struct slice name;	/* attribute or list; NULL: by id */
	u32 id;			/* attribute, list, campaign; 0: by name, or any campaign */
	u32 link;		/* 0: any */
	u32 days;
	struct slice *values;
	u32 value_count;
	/* Where it stood in the text, from 1; in characters. */
	u32 column;
	u16 number; /* of the settled tree, from 0 at the root in order of reading */
};

struct segment_program;

struct segment {
	struct arena arena;
	struct segment_node *root;
	u32 node_count; /* made; after settling: of the tree */
	struct segment_program *program; /* NULL until it is settled */
};

/* What is wrong, for people; `node` unless the text cannot be read at all, `column` in a text. */
struct segment_problem {
	const struct segment_node *node;
	u32 column;
	struct error error;
};

/* What is known of an attribute or a list. `name` is valid until the next question. */
struct segment_named {
	struct slice name;
	u32 id;
	enum segment_type type; /* of an attribute */
};

/* Fill in what is missing, by name or (when that is NULL) by id. False: there is no such one. */
struct segment_names {
	void *owner;
	bool (*attribute)(void *owner, struct segment_named *named);
	bool (*list)(void *owner, struct segment_named *named);
};

/* NULL: no memory. */
struct segment *segment_open(void);
void segment_free(struct segment *segment); /* NULL is fine */

/* A new node, in no tree yet. NULL: too many, or no memory. */
struct segment_node *segment_add(struct segment *segment, enum segment_kind kind) MUST_CHECK;
/* Room for `count` values of a test. False: no memory. */
bool segment_make_values(struct segment *segment, struct segment_node *node,
			 size_t count) MUST_CHECK;
bool segment_set_value(struct segment *segment, struct segment_node *node, size_t index,
		       struct slice value) MUST_CHECK;

/* Reads the text into the root. False and the problem. An empty text is everybody. */
bool segment_read_text(struct segment *segment, struct slice text,
		       struct segment_problem *problem) MUST_CHECK;

/* See above. False and the problem: the segment is good for nothing but being freed. */
bool segment_settle(struct segment *segment, const struct segment_names *names,
		    struct segment_problem *problem) MUST_CHECK;

/* Reads and settles. NULL and the problem. */
struct segment *segment_of_text(struct slice text, const struct segment_names *names,
				struct segment_problem *problem) MUST_CHECK;

/*
 * The text of a settled node. By ids (`list #3`) for keeping, since names change; read_text takes
 * both.
 */
enum segment_spelling { SEGMENT_BY_NAME, SEGMENT_BY_ID };
void segment_print(const struct segment_node *node, enum segment_spelling spelling,
		   struct buf *out);

#endif
