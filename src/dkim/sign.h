/*
 * Author signatures (RFC 6376, RFC 8463). What a campaign's messages share is prepared once in a
 * plan: the h= list, the canonical form and hash midstate of the shared header fields. Per message
 * three steps remain, so that a worker can collect private-key operations and do them in batches:
 *
 *   dkim_prepare   writes the DKIM-Signature field(s) with room for b=, computes the digests
 *   dkim_sign      the private-key operations of any number of prepared messages
 *   dkim_finish    puts the base64 text into the room
 *
 * d= equals the domain of From by construction: dkim_plan_make refuses anything else. No l=.
 */
#ifndef DKIM_SIGN_H
#define DKIM_SIGN_H

#include "base/buf.h"
#include "base/error.h"
#include "dkim/canon.h"
#include "dkim/key.h"

#define DKIM_KEYS_MAX 2    /* one RSA and one Ed25519 */
#define DKIM_FIELDS_MAX 64 /* header fields of one message that are signed */

/* A header field in message order. value.ptr == NULL: differs by recipient, given at prepare. */
struct dkim_field {
	struct slice name;
	struct slice value; /* raw, with its folds, without the final CRLF */
};

struct dkim_plan_params {
	const struct dkim_key *const *keys; /* 1..DKIM_KEYS_MAX; must outlive the plan */
	size_t key_count;
	struct slice from_domain; /* of the From field; A-labels */
	const struct dkim_field *fields;
	size_t field_count;
	enum dkim_canon body_canon; /* header fields are always relaxed */
	u64 expire_s;               /* x= this long after t=; 0: no x= */
};

struct dkim_plan; /* immutable: threads share it */

/*
 * Signs every field given except those that transports add or change (RFC 6376 section 5.4.1:
 * Return-Path, Received, Comments, Keywords, Bcc, Resent-*, DKIM-Signature). Lists From, To, Cc,
 * Subject, Date, Message-ID, Reply-To, In-Reply-To, References, MIME-Version, Content-Type,
 * Content-Transfer-Encoding, List-Unsubscribe and List-Unsubscribe-Post once more than they occur
 * (oversigning: a field added later breaks the signature). h= is folded only between names, never
 * inside one. The plan keeps nothing of the params but the keys.
 *
 * Refuses: no From field or two, a From that differs by recipient, from_domain differing from a
 * key's domain, names that are no field names or hold a semicolon, more than DKIM_FIELDS_MAX fields
 * to sign.
 */
struct dkim_plan *dkim_plan_make(const struct dkim_plan_params *params, struct error *error);
void dkim_plan_free(struct dkim_plan *plan);

/* Upper bound of what dkim_prepare appends. */
size_t dkim_plan_header_max(const struct dkim_plan *plan);

/* One message's signing state; plain data, caller's memory. */
struct dkim_work {
	const struct dkim_plan *plan;
	u8 digest[DKIM_KEYS_MAX][SHA256_SIZE];
	u8 signature[DKIM_KEYS_MAX][CRYPTO_SIGNATURE_MAX];
	u16 signature_len[DKIM_KEYS_MAX];
	u32 room_at[DKIM_KEYS_MAX]; /* where b='s text goes, counted from where prepare began */
};

/*
 * Appends the complete DKIM-Signature field(s), CRLF included, with the room for b= blank.
 * `values` are the per-recipient fields' values in message order (as many as fields with a NULL
 * value were given to the plan). time_s is t=. Allocates nothing when `out` has the room. False,
 * with nothing appended, when `out` is full or t= or x= would be later than the year 2286.
 */
bool dkim_prepare(struct dkim_work *work, const struct dkim_plan *plan, const struct slice *values,
		  size_t value_count, const u8 body_hash[SHA256_SIZE], u64 time_s, struct buf *out);

/*
 * One thread's signer: contexts for the keys of all plans it meets (up to 64 keys, least recently
 * used leaves). Not to be shared between threads.
 */
struct dkim_signer;
#define DKIM_LANES_MAX 8

struct dkim_signer *dkim_signer_open(void);
void dkim_signer_close(struct dkim_signer *signer);
/* Works that are signed together for the price of a few: 1 to DKIM_LANES_MAX. */
u32 dkim_signer_lanes(const struct dkim_signer *signer);
/*
 * Fills in the signatures of all works; RSA signatures with keys of about one length are made eight
 * at a time where the processor can (rsa_batch.h). False: some private-key operation failed;
 * dkim_is_signed tells of each work whether it has all its signatures.
 */
bool dkim_sign(struct dkim_signer *signer, struct dkim_work *const *works, size_t count);
bool dkim_is_signed(const struct dkim_work *work);
/*
 * Signatures of the batch code that did not verify since this was last asked. They were made again
 * by OpenSSL; any of them means a faulty processor or memory.
 */
u64 dkim_signer_take_refused(struct dkim_signer *signer);

/* Of a work that is signed. `header` is where dkim_prepare began to append. */
void dkim_finish(const struct dkim_work *work, char *header);

#endif
