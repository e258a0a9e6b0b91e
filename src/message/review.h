/*
 * What a careful colleague would say of a campaign's message before it is sent: what the law asks
 * for and is missing (Japan's act on regulation of transmission of specified electronic mail,
 * articles 3 and 4; CAN-SPAM, 15 U.S.C. 7704), what inboxes will not show, links that lead nowhere,
 * fields that may be empty. Findings have a place and, in English and Japanese, words that say what
 * is wrong and what to do. Looks at the source, not at a recipient. No I/O.
 */
#ifndef MESSAGE_REVIEW_H
#define MESSAGE_REVIEW_H

#include "base/arena.h"
#include "message/message.h"

#define REVIEW_FINDINGS_MAX 100
#define REVIEW_SAME_MAX 10 /* of one kind; more are not noted */
/* Gmail shows no more of an HTML text ("[Message clipped]"). */
#define REVIEW_HTML_MAX (102u << 10)
#define REVIEW_IMAGES_MAX (1u << 20) /* bytes of all images of one message */
#define REVIEW_SUBJECT_WIDTH 60      /* columns; a wide character has two. Phones show fewer yet */
#define REVIEW_TEXT_LINE_MAX 998     /* octets */

enum review_severity {
	REVIEW_MUST,   /* unlawful, or broken for everybody: not to be sent so */
	REVIEW_SHOULD, /* some recipients will not see it as it is meant */
	REVIEW_MAY,    /* could be better */
};

enum review_part { REVIEW_MESSAGE, REVIEW_SUBJECT, REVIEW_TEXT, REVIEW_HTML };

enum review_kind {
	REVIEW_TEMPLATE_BROKEN,  /* detail: the compiler's sentence */
	REVIEW_CHARACTER,        /* detail: one that the charset lacks */
	REVIEW_SUBJECT_EMPTY,
	REVIEW_SUBJECT_LONG,
	REVIEW_BODY_EMPTY,
	REVIEW_NO_TEXT,
	REVIEW_NO_UNSUBSCRIBE_LINK,
	REVIEW_NO_UNSUBSCRIBE_HEADER,
	REVIEW_IDENTITY_UNSET,   /* detail: which of the sender's facts is not configured */
	REVIEW_NO_SENDER_NAME,   /* detail: the words that are to be there */
	REVIEW_NO_SENDER_ADDRESS,
	REVIEW_NO_SENDER_CONTACT,
	REVIEW_FIELD_MAY_BE_EMPTY, /* detail: the field */
	REVIEW_LINE_LONG,
	REVIEW_HTML_LARGE,       /* detail: KB */
	REVIEW_NO_PREHEADER,
	REVIEW_IMAGE_WITHOUT_ALT, /* detail: its URL */
	REVIEW_IMAGE_DATA,       /* in a data: URL */
	REVIEW_IMAGES_LARGE,     /* detail: KB */
	REVIEW_IMAGES_ALONE,
	REVIEW_LINK_SCRIPT,      /* detail of links: the URL */
	REVIEW_LINK_EMPTY,
	REVIEW_LINK_RELATIVE,
	REVIEW_LINK_PLAIN,       /* http */
	REVIEW_LINK_SHORTENED,
	REVIEW_LINK_DISGUISED,   /* its text is another host's URL: detail */
	REVIEW_ELEMENT,          /* detail: one that mail programs take out */
	REVIEW_IMAGE_GONE,       /* detail: its URL */
	REVIEW_INLINE_LARGE,     /* detail: KB */
	REVIEW_KINDS
};

struct review_finding {
	enum review_kind kind;
	enum review_severity severity;
	enum review_part part;
	u32 line;            /* of the part, from 1; 0: the whole */
	struct slice detail; /* in the arena; may be empty */
};

enum review_image {
	REVIEW_IMAGE_ELSEWHERE, /* of another host */
	REVIEW_IMAGE_HERE,
	REVIEW_IMAGE_LOST, /* would be of this host, and is not there */
};

struct review_input {
	struct slice subject; /* as in a template's field: UTF-8, one line */
	struct slice text;    /* templates; empty: there is none */
	struct slice html;
	const struct slice *columns;
	size_t column_count;
	const bool *may_be_empty; /* by column: some recipient has no value; NULL: all may */
	const struct message_blocks *blocks; /* NULL: none */
	enum message_charset charset;
	bool makes_text; /* of the HTML, where there is none */
	bool has_unsubscribe_header;
	/* Asked for by what its recipient did: nobody has to be able to leave it. */
	bool is_transactional;
	/* Fields that stand for the recipient's own address to leave by ("unsubscribe_url"). */
	const struct slice *unsubscribe_fields;
	size_t unsubscribe_field_count;
	/* Who sends, as configured; each is to be read in the body. Empty: not configured. */
	struct slice sender_name;
	struct slice sender_address; /* postal; white space does not count */
	struct slice sender_contact; /* URL, mail address or telephone for inquiries */
	/* What is known of an image by its URL; `bytes` is set to 0. NULL: nobody knows. */
	enum review_image (*image)(void *owner, struct slice url, u64 *bytes);
	void *owner;
	u64 inline_max; /* bytes of images that go in the mail itself; 0: none do */
};

struct review {
	struct review_finding findings[REVIEW_FINDINGS_MAX];
	u32 count;
	u32 counts[3]; /* by severity; beyond the maxima, too */
};

/*
 * Fills in the review; details live in the arena. False: no memory. Findings come in the order of
 * their severity, then of the parts and lines.
 */
bool review_message(const struct review_input *input, struct arena *arena, struct review *review,
		    struct error *error) MUST_CHECK;

/* What is wrong, and what to do: one sentence each, with the detail. */
void review_add_problem(const struct review_finding *finding, bool japanese, struct buf *out);
void review_add_advice(const struct review_finding *finding, bool japanese, struct buf *out);

#endif
