/*
 * What a compiled message is made of; private to src/message/. A body is a program of operations:
 * literals (in wire form already), the extra dots of dot-stuffing, merge fields, and
 * turns: conditions and loops.
 */
#ifndef MESSAGE_COMPILED_H
#define MESSAGE_COMPILED_H

#include "base/arena.h"
#include "message/message.h"
#include "message/mime.h"
#include "message/template.h"

#define OWN_HEADERS_MAX 32
#define LITERAL_COPY_MAX                                                                           \
	2048 /* shorter literals between fields are copied: cheaper than a piece                   \
	      */
/*
 * Of MESSAGE_PIECES_MAX = 48 pieces: head 1, shared header fields 1, large literals between fields
 * 10 x 2 (each with the copied run in front of it), dots in literals 5 x 2, the last run 1; the
 * other 15 are for dots in values. A shared body has no runs and no values: 20 dots, 41 pieces.
 */
#define LITERAL_SEPARATE_MAX 10
#define LITERAL_DOTS_MAX 5
#define LITERAL_DOTS_SHARED_MAX 20
#define SCRATCH_MAX (32u << 20)
#define HEAD_MAX (1u << 20)

enum op_kind { OP_LITERAL, OP_DOT, OP_FIELD, OP_TURN };
enum out_encoding { OUT_RAW, OUT_QUOTED, OUT_BASE64 };

struct message_op {
	u8 kind;
	u8 out;        /* field: how its part is encoded */
	bool japanese; /* field: the part is in ISO-2022-JP */
	bool line_end_follows;
	bool separate; /* literal: a piece of its own */
	bool in_loop;  /* literal: it may come more than once, and is copied */
	u32 column;    /* field in quoted-printable: where its value begins */
	u32 field;  /* field, turn: its number in the message's table */
	u32 target; /* turn: the operation of its target's mark */
	u32 first_line; /* literal: octets up to the first line end, or all */
	u32 last_line;  /* literal: octets behind the last line end */
	bool has_line_end;
	struct slice literal;
};

struct message_mailbox {
	struct slice name;    /* marked text */
	struct slice address; /* marked text */
};

enum header_kind {
	HEADER_TEXT,
	HEADER_MAILBOXES,
	HEADER_URLS,
	HEADER_TOKENS,
	HEADER_DATE, /* made by the product: Date, Message-ID, To */
	HEADER_MESSAGE_ID,
	HEADER_RECIPIENT,
	HEADER_KEPT, /* of a literal message: the value with its folds */
};

struct message_header {
	struct slice name;
	struct slice text; /* marked text */
	struct message_mailbox *mailboxes;
	u32 mailbox_count;
	u32 line;
	u8 kind;
};

/* A body and the shared header fields that go with it. */
struct message_variant {
	struct slice header; /* shared fields and the empty line */
	struct message_op *ops;
	size_t op_count;
	u64 literal_bytes;
	u64 prefix_bytes; /* body octets in front of the first field */
	bool is_shared;
	bool eightbit;
	bool utf8_header; /* an address in the shared fields needs SMTPUTF8 */
	struct dkim_body prefix;
	u8 body_hash[SHA256_SIZE]; /* of a shared body */
	struct dkim_plan *plan;
};

struct message {
	struct arena arena;
	const char *name;
	enum message_charset charset;
	struct template_field *fields;
	struct message_header *own; /* fields that differ by recipient, in order */
	u32 own_count;
	struct message_variant variants[2]; /* 7-bit; 8-bit */
	u32 variant_count;
	struct slice boundary; /* what every boundary of this message begins with */
	struct message_facts facts;
};

/* A compilation in progress. */
struct compiler {
	struct message *message;
	const struct message_options *options;
	struct template_set set;
	struct mime_part *root;
	struct message_header *shared;
	u32 shared_count;
	bool is_literal; /* a whole message that keeps its bytes */
	bool as_it_is;   /* the variant being made has the body of the source */
	bool eightbit; /* the variant being made */
	u32 dots;      /* of literals, in that variant */
	bool body_has_fields;
	struct error *error;
};

/* compile_header.c: sorts the header fields of the message into own and shared ones. */
bool compile_headers(struct compiler *c, struct slice block, u32 line);
/* compile_part.c: parses the texts of all leaves (once), then chooses encodings (per variant). */
bool compile_leaves(struct compiler *c, struct mime_part *part);
bool compile_choose(struct compiler *c, struct mime_part *part);
/* Appends a part's header fields; `top`: only Content-* ones, the others being the message's. */
bool compile_part_header(struct compiler *c, struct mime_part *part, bool top, struct buf *out);
/* compile_body.c: the program of the whole body. */
bool compile_body(struct compiler *c, struct message_variant *variant);

/*
 * compose_header.c: one header field, ready for the wire. `maker` is NULL for shared fields.
 * False: error says why.
 */
struct value_maker;
bool compose_header(const struct message *message, const struct message_header *header,
		    struct value_maker *maker, struct buf *text, struct buf *out,
		    struct error *error);

#endif
