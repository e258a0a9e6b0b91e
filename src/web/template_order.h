/* Keeping templates: what they may be, and orders to the scribe, for programs and for pages. */
#ifndef WEB_TEMPLATE_ORDER_H
#define WEB_TEMPLATE_ORDER_H

#include "base/arena.h"
#include "store/audience_template.h"
#include "web/call.h"

enum template_order_kind {
	TEMPLATE_ORDER_ADD,
	TEMPLATE_ORDER_SAVE,
	TEMPLATE_ORDER_RESTORE, /* an old version's texts as the newest one's */
	TEMPLATE_ORDER_DELETE,
};

/* What an order that went well (call_order_is_well) may have found; then nothing was written. */
enum template_order_end {
	TEMPLATE_ORDER_DONE, /* also when nothing differed: then there is no new version */
	TEMPLATE_ORDER_NAME_TAKEN,
	TEMPLATE_ORDER_TOO_MANY, /* AUDIENCE_TEMPLATES_MAX */
	TEMPLATE_ORDER_OUTDATED, /* there is a newer version than the one that is changed */
	TEMPLATE_ORDER_GONE,
	TEMPLATE_ORDER_NO_VERSION, /* to restore */
	TEMPLATE_ORDER_WRONG,	/* blocks: `field` and `error` say which and why */
	TEMPLATE_ORDER_IN_USE,	/* `error` has by whom */
};

/* Of what people write. */
enum template_field {
	TEMPLATE_FIELD_NAME = AUDIENCE_TEMPLATE_TEXTS, /* those before are texts */
	TEMPLATE_FIELDS_ALL,
};

struct template_order {
	struct call_order order; /* .answer is the giver's; free of what is not given: _free */
	enum template_order_kind kind;
	struct call_author author;
	bool japanese;	/* in which language `error` is */
	u32 id;		/* of a new one: set by then */
	u32 wanted;	/* the version that is changed; 0: any */
	u32 restored;	/* version */
	u32 version;	/* set by then: the newest one */
	bool is_changed; /* set by then */
	enum audience_template_kind template_kind; /* of a new one */
	bool has_language;
	u8 language;
	char name[AUDIENCE_TEMPLATE_NAME_MAX + 1]; /* "": stays */
	bool needs_name;   /* as forms always have one */
	bool is_name_long; /* it did not fit */
	u32 given; /* which texts are, as bits; others stay, or are empty */
	struct slice of[AUDIENCE_TEMPLATE_TEXTS]; /* in the arena */
	struct arena arena;
	enum template_order_end end;
	u32 field;
	struct error error;
};

/* As calls and forms name it; NULL: no such field. */
const char *template_field_name(u32 field);
const char *template_kind_name(enum audience_template_kind kind); /* "mail", "block", ... */
bool template_kind_find(struct slice name, enum audience_template_kind *kind) MUST_CHECK;

/* A text as it is; one of white space alone is none. */
struct slice template_text(struct slice text);

/* NULL: no memory; the call is answered. */
struct template_order *template_order_new(struct call *call,
					  enum template_order_kind kind) MUST_CHECK;
void template_order_free(struct template_order *order); /* one that was not given */
/* Copies a text into it. False: no memory. */
bool template_order_take(struct template_order *order, enum audience_template_text text,
			 struct slice value) MUST_CHECK;

/*
 * What is wrong with what is given, each by itself: `field` and `error`, in the order's language.
 * Blocks are looked at when it is carried out.
 */
bool template_order_check(struct template_order *order) MUST_CHECK;

#endif
