/*
 * The command campaign.create: its arguments, and the DATA frames that bring the template and the
 * recipients. One file for both ends, so that they cannot drift apart.
 *
 *   client: REQUEST campaign.create, DATA..., END      daemon: REPLY {id, total, domains}
 *
 * A DATA payload is one tag byte and bytes. Template parts are chunks, appended in order; rows come
 * as batches of whole rows:
 *
 *   u16 address length, address (wire form), u16 values length, values (store/row_values.h)
 *
 * (big-endian). Any ERROR, and a connection that breaks before the REPLY, mean that nothing was
 * created.
 */
#ifndef CONTROL_CAMPAIGN_H
#define CONTROL_CAMPAIGN_H

#include "control/request.h"

enum control_data_tag {
	CONTROL_DATA_WHOLE = 1,
	CONTROL_DATA_HEADERS,
	CONTROL_DATA_TEXT,
	CONTROL_DATA_HTML,
	CONTROL_DATA_ROWS,
	CONTROL_DATA_RECIPIENTS, /* of a letter: letter.h */
};
#define CONTROL_DATA_PARTS 4 /* tags below CONTROL_DATA_ROWS */

#define CONTROL_NAME_MAX 63
#define CONTROL_ADDRESS_MAX 400
#define CONTROL_VALUES_MAX 65535
#define CONTROL_COLUMNS_MAX 256
#define CONTROL_TEMPLATE_MAX (32u << 20) /* all parts together */
/* One row as it lies in a DATA frame: always far below FRAME_PAYLOAD_MAX. */
#define CONTROL_ROW_MAX (2 + CONTROL_ADDRESS_MAX + 2 + CONTROL_VALUES_MAX)

enum control_source { CONTROL_SOURCE_WHOLE, CONTROL_SOURCE_PARTS };

/* Texts are borrowed: from the request where it is read, from the caller where it is written. */
struct control_campaign_create {
	const char *command;  /* for sentences; filled in by who reads */
	const char *name;     /* 1..CONTROL_NAME_MAX bytes, no control bytes, not all digits */
	const char *customer; /* domain of a customer section of the configuration */
	enum control_source source;
	u64 sizes[CONTROL_DATA_PARTS + 1]; /* bytes by tag; 0: this part does not come */
	const char *source_name;           /* for the template's error messages; may be NULL */
	const char *columns[CONTROL_COLUMNS_MAX];
	size_t column_count;
	const char *charset;  /* "utf-8" or "iso-2022-jp" */
	const char *encoding; /* "auto" or "8bit" */
	bool is_doubt_held;   /* doubt_policy "hold"; else "resend" */
	u64 expire_ms;        /* 0: as configured */
	u64 deadline_ms;      /* wall clock; from then on nothing is sent; 0: none */
	bool require_unsubscribe;
	bool is_open; /* rows may come later, too: campaign.append */
	const char *kind;               /* "bulk" or "transactional" */
	const char *list;               /* the newsletter that it is an issue of; NULL: of none */
	const char *unsubscribe_url;    /* NULL: as configured */
	const char *unsubscribe_mailto; /* NULL: as configured */
};

/*
 * Reads and checks the arguments: names, words, sizes (the parts that the kind of source needs, sum
 * at most CONTROL_TEMPLATE_MAX). Absent: charset utf-8, encoding auto, doubt_policy resend,
 * kind bulk, require_unsubscribe true.
 */
bool control_read_create(const struct control_request *request,
			 struct control_campaign_create *create, struct error *error);
/* The request, "command" included; NULL: no memory or a text that is not UTF-8. */
json_t *control_create_json(const struct control_campaign_create *create) MUST_CHECK;

/*
 * campaign.append: rows for a campaign that was created open; they come as DATA, then END. The
 * sender keeps the cursor with the rows. It takes nothing when its cursor is not `after`.
 */
#define CONTROL_APPEND_ROWS 10000
#define CONTROL_APPEND_BYTES (8u << 20) /* of all rows, as they lie in DATA frames */
struct control_campaign_append {
	u64 id;
	u64 after;
	u64 cursor; /* beyond `after` */
};
bool control_read_append(const struct control_request *request,
			 struct control_campaign_append *append, struct error *error);

/* What letters share with campaigns: fills in and checks source, columns, charset and encoding. */
bool control_read_source(struct control_campaign_create *create, const json_t *source,
			 const json_t *columns, struct error *error);
json_t *control_source_json(const struct control_campaign_create *create) MUST_CHECK;
json_t *control_columns_json(const struct control_campaign_create *create) MUST_CHECK;

/* A u16 length and so many bytes, at most 65535. */
void control_counted_add(struct buf *batch, struct slice s);
bool control_counted_take(struct slice *rest, struct slice *out) MUST_CHECK;

/*
 * Takes the tag off a DATA payload. False: empty, or a tag that does not exist. That a template
 * part does not pass its announced size is for the caller to see.
 */
bool control_data_open(struct slice payload, enum control_data_tag *tag, struct slice *bytes,
		       struct error *error);

/* Appends one row to a batch; lengths up to the maxima above (asserted). */
void control_row_add(struct buf *batch, struct slice address, struct slice values);

enum control_row_result { CONTROL_ROW, CONTROL_ROWS_END, CONTROL_ROWS_BAD };
/* Takes the next row off a batch; slices are views of it. BAD: cut, or over a maximum. */
enum control_row_result control_row_take(struct slice *rest, struct slice *address,
					 struct slice *values) MUST_CHECK;

#endif
