/*
 * Images brought, described and deleted, by pages and by programs. Of what is brought together
 * either all is kept or nothing.
 */
#ifndef WEB_IMAGE_CHANGE_H
#define WEB_IMAGE_CHANGE_H

#include "web/call.h"
#include "web/image_file.h"
#include "web/image_upload.h"
#include "web/use_names.h"
#include "web/words.h"

/* One that was brought; its record is what stands in the store now. */
struct image_brought {
	struct audience_asset asset; /* its texts are these: */
	char name[ASSET_NAME_MAX + 1];
	char alt[ASSET_ALT_MAX + 1];
	char file[IMAGE_FILE_NAME_SIZE];
	char by[ASSET_BY_MAX + 1];
	bool was_known; /* the same image was there before */
};

enum image_refusal {
	IMAGE_TAKEN,
	IMAGE_NO_ROOM, /* for so many bytes */
	IMAGE_TOO_MANY,
};

struct image_bring {
	struct call_order order;
	struct call_author author;
	enum image_refusal refusal;
	u32 count;
	struct image_brought of[IMAGE_UPLOADS_MAX];
	void (*answer)(struct call *call, struct image_bring *bring); /* refusal is set */
};

/*
 * Keeps call->images; `alt` describes one that comes alone. What is wrong with one of them is told
 * by `refuse`: its place, its name and a sentence.
 */
void image_bring(struct call *call, struct slice alt,
		 void (*refuse)(struct call *call, u32 at, struct slice name, u32 status,
				const struct words *why),
		 void (*answer)(struct call *call, struct image_bring *bring));
/* Why nothing was kept. */
const struct words *image_refusal_words(enum image_refusal refusal);

struct image_change {
	struct call_order order;
	struct call_author author;
	u8 id[ASSET_ID_SIZE];
	bool deletes;
	bool has_name; /* it gets this one */
	bool has_alt;
	char name[ASSET_NAME_MAX + 1];
	char alt[ASSET_ALT_MAX + 1];
	bool is_gone; /* there was none */
	bool japanese; /* in which language `needed` is */
	char needed[USE_NAMES_MAX]; /* not empty: it was not deleted, image_needs says why */
	char file[ASSET_FILE_MAX + 1]; /* of one that was deleted */
	void (*answer)(struct call *call, struct image_change *change);
};

/* The id in the path; false: the call is answered. */
bool image_id_of(struct call *call, u8 id[ASSET_ID_SIZE]) MUST_CHECK;
/* NULL: no memory, or no id in the path; the call is answered. */
struct image_change *image_change_new(struct call *call) MUST_CHECK;
/* Takes it over. */
void image_change_give(struct call *call, struct image_change *change);

#endif
