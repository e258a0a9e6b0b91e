/*
 * What keeps programs from signing other people up: a form that is shown carries a signed token
 * (campaign/link_token.h) that says when that was; sending it again needs the token, once, and
 * either a proof of work, which a browser's script does meanwhile, or patience, for who has no
 * script. No cookie, no puzzle for people. Each net may send so many in an hour.
 *
 *   with proof       FORM_QUICK_S after it was shown, FORM_RATE_PROVEN an hour
 *   without          FORM_PATIENT_S after,            FORM_RATE_PATIENT an hour
 *
 * A proof is a text of up to FORM_PROOF_MAX characters so that SHA-256 of "TOKEN:PROOF" begins with
 * FORM_PROOF_BITS zero bits. Any thread may ask. Memory is fixed: what is forgotten early is the
 * oldest count of a net; a token is never forgotten before its time, rather nobody is let in.
 */
#ifndef CAMPAIGN_FORM_GUARD_H
#define CAMPAIGN_FORM_GUARD_H

#include "campaign/link_token.h"

#include <pthread.h>

#define FORM_QUICK_S 3
#define FORM_PATIENT_S 20
#define FORM_SHOWN_S 7200 /* so long the token counts */
#define FORM_PROOF_BITS 16
#define FORM_PROOF_MAX 20
#define FORM_RATE_PROVEN 60
#define FORM_RATE_PATIENT 10
#define FORM_NETS 8192
#define FORM_TOKENS 32768

struct form_net {
	u64 net; /* keyed hash; 0: free */
	u64 hour;
	u32 count;
};

struct form_used {
	u64 token; /* keyed hash */
	u64 until_s;
};

/* 700 KB. */
struct form_guard {
	pthread_mutex_t lock;
	u8 secret[16];
	struct form_net nets[FORM_NETS];
	struct form_used used[FORM_TOKENS];
};

void form_guard_init(struct form_guard *guard);

enum form_verdict {
	FORM_LETS_IN, /* and the token is used up */
	FORM_TOO_QUICK, /* again in *wait_s */
	FORM_NO_TOKEN,  /* none, another form's, too old, or used: the form has to be shown anew */
	FORM_TOO_MANY,
};

struct form_try {
	u32 form;
	struct slice token;
	struct slice proof; /* empty: none */
	struct slice peer;  /* its address, as text */
	u64 now_s;
};

/* The token of a form that is shown now. */
size_t form_guard_token(const struct link_keys *keys, u32 form, u64 now_s,
			char out[LINK_TOKEN_MAX]);
enum form_verdict form_guard_judge(struct form_guard *guard, const struct link_keys *keys,
				   const struct form_try *attempt, u32 *wait_s) MUST_CHECK;

/*
 * Of mails that a known contact asks for: whether it may have one more of `rate` in this hour.
 */
bool form_guard_takes_mail(struct form_guard *guard, u32 contact, u64 now_s, u32 rate) MUST_CHECK;

/* For tests, and for programs that fill in forms of their own: whether the proof is one. */
bool form_proof_is_good(struct slice token, struct slice proof) MUST_CHECK;

#endif
