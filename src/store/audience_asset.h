/*
 * Assets: images that people have uploaded for their mail. The bytes are a file of the folder
 * `images` beside the environment; here is what is known of it. The id comes from the content, so
 * what stands at an address never changes, and the same image has the same address when it is
 * brought again.
 */
#ifndef STORE_AUDIENCE_ASSET_H
#define STORE_AUDIENCE_ASSET_H

#include "store/audience.h"

#define ASSETS_MAX 10000
#define ASSET_ID_SIZE 16 /* bytes: the first ones of the content's SHA-256 */
#define ASSET_NAME_MAX 255 /* bytes */
#define ASSET_ALT_MAX 1000
#define ASSET_FILE_MAX 63
#define ASSET_BY_MAX 299

enum asset_text { /* stored by number: new ones come last */
	ASSET_NAME, /* as its owner calls it: "logo.png" */
	ASSET_ALT, /* what it shows, for who does not see it */
	ASSET_FILE, /* in the folder of images; another one when the image is brought again */
	ASSET_BY, /* who brought it */
	ASSET_TEXTS,
};

struct audience_asset {
	u8 id[ASSET_ID_SIZE];
	u8 kind; /* enum image_kind */
	u32 width; /* pixels */
	u32 height;
	u64 size; /* bytes of the file */
	u64 created_ms;
	u64 changed_ms;
	struct slice of[ASSET_TEXTS]; /* views of the record, or what is to be kept */
};

enum store_result audience_asset_get(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE],
				     struct audience_asset *asset) MUST_CHECK;
/* The first one with a greater id; NULL: the first of all. NOT_FOUND: there are no more. */
enum store_result audience_asset_after(struct audience_txn *txn, const u8 *id,
				       struct audience_asset *asset) MUST_CHECK;
/* In place of the one with its id, if there is one. Its slices are no views. */
enum store_result audience_asset_put(struct audience_txn *txn,
				     const struct audience_asset *asset) MUST_CHECK;
enum store_result audience_asset_delete(struct audience_txn *txn,
					const u8 id[ASSET_ID_SIZE]) MUST_CHECK;

struct audience_asset_total {
	u32 count;
	u64 bytes; /* of their files */
};
enum store_result audience_asset_sum(struct audience_txn *txn,
				     struct audience_asset_total *total) MUST_CHECK;

#endif
