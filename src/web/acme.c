#include "web/acme.h"

#include "base/text.h"
#include "web/acme_sign.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_SIZE 1024
#define NONCE_SIZE 257
#define TOKEN_SIZE 129
#define BODY_MAX (256u << 10) /* of a request; names make it long */
#define NONCES_MAX 5	      /* that an authority no longer likes, in a row */
#define WAITS_MAX 60	      /* in all: about five minutes */
#define WAIT_MS 1000
#define WAIT_MAX_MS 15000
#define HTTP_OK 200
#define HTTP_CREATED 201
#define HTTP_TOO_MANY 429
#define HTTP_AWAY 503

enum step {
	STEP_DIRECTORY,
	STEP_ACCOUNT,
	STEP_ORDER,
	STEP_AUTHORIZATION,
	STEP_PUBLISH,
	STEP_CHALLENGE,
	STEP_FINALIZE,
	STEP_ORDER_STATE,
	STEP_CERTIFICATE,
	STEP_DONE,
	STEP_FAILED,
};

struct acme {
	const struct acme_wish *wish;
	enum step step;
	bool must_wait;	/* before the step */
	bool asks_for_nonce; /* so does the request that is out */
	u32 waits;
	u32 bad_nonces; /* in a row */
	u64 wait_ms;
	u64 rest_s;
	char nonce[NONCE_SIZE]; /* of the next request; "": one has to be fetched */
	char nonce_url[URL_SIZE];
	char account_url[URL_SIZE]; /* the directory's, then that of the account itself */
	char order_url[URL_SIZE];
	char finalize_url[URL_SIZE];
	char certificate_url[URL_SIZE];
	char challenge_url[URL_SIZE];
	bool has_account;
	char (*authorizations)[URL_SIZE];
	size_t authorization_count;
	size_t at; /* the authorization that is being proved */
	char token[TOKEN_SIZE];
	char proof[TOKEN_SIZE + 1 + ACME_THUMBPRINT];
	struct buf body; /* of the request that is out */
	struct buf chain;
	struct error trouble;
};

static void fail(struct acme *acme, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void fail(struct acme *acme, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(acme->trouble.text, sizeof(acme->trouble.text), fmt, args);
	va_end(args);
	acme->step = STEP_FAILED;
}

static void go(struct acme *acme, enum step step)
{
	acme->step = step;
	acme->must_wait = false;
}

/* The same again, later; what takes too long is given up. */
static void go_later(struct acme *acme, enum step step, u64 retry_after_s)
{
	acme->step = step;
	acme->must_wait = true;
	acme->wait_ms = min_u64(max_u64(retry_after_s * 1000, WAIT_MS), WAIT_MAX_MS);
	if (++acme->waits > WAITS_MAX)
		fail(acme, "the authority does not come to an end");
}

/* ---- what stands in answers ---- */

static bool take_url(struct acme *acme, char out[URL_SIZE], struct slice url)
{
	bool is_fine = slice_has_prefix(url, SLICE("https://")) && url.len < URL_SIZE;

	for (size_t i = 0; is_fine && i < url.len; i++)
		is_fine = url.ptr[i] > ' ' && url.ptr[i] < 0x7f;
	if (!is_fine) {
		fail(acme, "the authority names no place to go on");
		return false;
	}
	return slice_copy(out, URL_SIZE, url);
}

static bool take_member_url(struct acme *acme, char out[URL_SIZE], const json_t *object,
			    const char *member)
{
	const char *url = json_string_value(json_object_get(object, member));

	return take_url(acme, out, url ? slice_of(url) : SLICE(""));
}

static bool has_status(const json_t *object, const char *status)
{
	const char *given = json_string_value(json_object_get(object, "status"));

	return given && strcmp(given, status) == 0;
}

/* What the authority says of a failure (RFC 7807). */
static void fail_by(struct acme *acme, const char *what, const json_t *problem)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *type = json_string_value(json_object_get(problem, "type"));

	fail(acme, "%s: %.300s (%.100s)", what, detail ? detail : "no reason given",
	     type ? type : "no type");
}

/* ---- one function for each answer ---- */

static void on_directory(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	(void)answer;
	if (take_member_url(acme, acme->nonce_url, body, "newNonce") &&
	    take_member_url(acme, acme->account_url, body, "newAccount") &&
	    take_member_url(acme, acme->order_url, body, "newOrder"))
		go(acme, STEP_ACCOUNT);
}

static void on_account(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	(void)body;
	if (take_url(acme, acme->account_url, answer->location)) {
		acme->has_account = true;
		go(acme, STEP_ORDER);
	}
}

static void take_order(struct acme *acme, const json_t *order);

static void on_order(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	const json_t *list = json_object_get(body, "authorizations");

	if (!take_url(acme, acme->order_url, answer->location) ||
	    !take_member_url(acme, acme->finalize_url, body, "finalize"))
		return;
	acme->authorization_count = min_size(json_array_size(list), ACME_NAMES_MAX);
	for (size_t i = 0; i < acme->authorization_count; i++) {
		const char *url = json_string_value(json_array_get(list, i));

		if (!take_url(acme, acme->authorizations[i], url ? slice_of(url) : SLICE("")))
			return;
	}
	acme->at = 0;
	if (acme->authorization_count > 0)
		go(acme, STEP_AUTHORIZATION);
	else
		take_order(acme, body);
}

static const json_t *find_challenge(const json_t *authorization)
{
	const json_t *list = json_object_get(authorization, "challenges");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *type = json_string_value(json_object_get(one, "type"));

		if (type && strcmp(type, "http-01") == 0)
			return one;
	}
	return NULL;
}

static void prove(struct acme *acme, const json_t *challenge)
{
	const char *token = json_string_value(json_object_get(challenge, "token"));
	char thumbprint[ACME_THUMBPRINT + 1];

	if (!token || !acme_is_base64(slice_of(token), TOKEN_SIZE - 1)) {
		fail(acme, "the authority offers no proof by a page on port 80");
		return;
	}
	if (!take_member_url(acme, acme->challenge_url, challenge, "url"))
		return;
	if (!acme_thumbprint(acme->wish->account, thumbprint)) {
		fail(acme, "out of memory");
		return;
	}
	slice_copy(acme->token, sizeof(acme->token), slice_of(token));
	snprintf(acme->proof, sizeof(acme->proof), "%s.%s", token, thumbprint);
	go(acme, STEP_PUBLISH);
}

static void next_authorization(struct acme *acme)
{
	acme->token[0] = '\0'; /* the next name has a challenge of its own */
	acme->at++;
	go(acme, acme->at < acme->authorization_count ? STEP_AUTHORIZATION : STEP_FINALIZE);
}

static void on_authorization(struct acme *acme, const struct acme_answer *answer,
			     const json_t *body)
{
	const json_t *challenge = find_challenge(body);
	const char *name = json_string_value(
		json_object_get(json_object_get(body, "identifier"), "value"));
	char what[160];

	if (has_status(body, "valid")) {
		next_authorization(acme);
	} else if (has_status(body, "pending") && challenge && has_status(challenge, "pending") &&
		   !acme->token[0]) {
		prove(acme, challenge);
	} else if (has_status(body, "pending") && challenge) {
		go_later(acme, STEP_AUTHORIZATION, answer->retry_after_s);
	} else {
		snprintf(what, sizeof(what), "the authority does not believe that %.100s is ours",
			 name ? name : "a name");
		fail_by(acme, what, json_object_get(challenge, "error"));
	}
}

static void on_challenge(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	(void)body;
	go_later(acme, STEP_AUTHORIZATION, answer->retry_after_s);
}

static void take_order(struct acme *acme, const json_t *order)
{
	if (has_status(order, "valid")) {
		if (take_member_url(acme, acme->certificate_url, order, "certificate"))
			go(acme, STEP_CERTIFICATE);
	} else if (has_status(order, "ready")) {
		go(acme, STEP_FINALIZE);
	} else if (has_status(order, "processing") || has_status(order, "pending")) {
		go_later(acme, STEP_ORDER_STATE, 0);
	} else {
		fail_by(acme, "the authority gives no certificate",
			json_object_get(order, "error"));
	}
}

static void on_order_state(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	take_order(acme, body);
	if (acme->must_wait)
		acme->wait_ms =
			min_u64(max_u64(answer->retry_after_s * 1000, WAIT_MS), WAIT_MAX_MS);
}

static void on_certificate(struct acme *acme, const struct acme_answer *answer, const json_t *body)
{
	(void)body;
	buf_reset(&acme->chain);
	buf_add_slice(&acme->chain, answer->body);
	if (acme->chain.failed)
		fail(acme, "out of memory");
	else if (slice_find(answer->body, SLICE("-----BEGIN CERTIFICATE-----")) < 0)
		fail(acme, "the authority sent something that is no certificate");
	else
		go(acme, STEP_DONE);
}

/* ---- one function for each payload ---- */

static json_t *account_payload(const struct acme *acme)
{
	json_t *payload = json_pack("{s:b}", "termsOfServiceAgreed", 1);
	char contact[400];

	if (!payload || !acme->wish->contact)
		return payload;
	snprintf(contact, sizeof(contact), "mailto:%s", acme->wish->contact);
	if (json_object_set_new(payload, "contact", json_pack("[s]", contact)) == 0)
		return payload;
	json_decref(payload);
	return NULL;
}

static json_t *order_payload(const struct acme *acme)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < acme->wish->name_count; i++) {
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "type", "dns", "value",
							  acme->wish->names[i])) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list ? json_pack("{s:o}", "identifiers", list) : NULL;
}

static json_t *challenge_payload(const struct acme *acme)
{
	(void)acme;
	return json_object();
}

static json_t *finalize_payload(const struct acme *acme)
{
	json_t *payload = NULL;
	struct buf der;
	struct buf text;

	buf_init(&der, BODY_MAX / 4);
	buf_init(&text, BODY_MAX / 2);
	if (crypto_ec_request(acme->wish->key, acme->wish->names, acme->wish->name_count, &der)) {
		acme_base64(&text, der.ptr, der.len);
		if (!text.failed)
			payload = json_pack("{s:s#}", "csr", text.ptr, (int)text.len);
	}
	buf_done(&text);
	buf_done(&der);
	return payload;
}

/* ---- the table ---- */

static const struct {
	const char *what; /* for people: what the authority refuses */
	bool is_signed;
	bool has_json; /* in its answer */
	json_t *(*payload)(const struct acme *acme); /* NULL: POST as GET */
	void (*answer)(struct acme *acme, const struct acme_answer *answer, const json_t *body);
} steps[] = {
	[STEP_DIRECTORY] = { "its directory", false, true, NULL, on_directory },
	[STEP_ACCOUNT] = { "an account", true, true, account_payload, on_account },
	[STEP_ORDER] = { "an order", true, true, order_payload, on_order },
	[STEP_AUTHORIZATION] = { "an authorization", true, true, NULL, on_authorization },
	[STEP_CHALLENGE] = { "a proof", true, true, challenge_payload, on_challenge },
	[STEP_FINALIZE] = { "a request for a certificate", true, true, finalize_payload,
			    on_order_state },
	[STEP_ORDER_STATE] = { "news of an order", true, true, NULL, on_order_state },
	[STEP_CERTIFICATE] = { "the certificate", true, false, NULL, on_certificate },
};

static const char *url_of(const struct acme *acme)
{
	switch (acme->step) {
	case STEP_DIRECTORY:
		return acme->wish->directory;
	case STEP_ACCOUNT:
		return acme->account_url;
	case STEP_AUTHORIZATION:
		return acme->authorizations[acme->at];
	case STEP_CHALLENGE:
		return acme->challenge_url;
	case STEP_FINALIZE:
		return acme->finalize_url;
	case STEP_CERTIFICATE:
		return acme->certificate_url;
	default:
		return acme->order_url;
	}
}

/* ---- outside ---- */

struct acme *acme_open(const struct acme_wish *wish)
{
	struct acme *acme;

	if (wish->name_count == 0 || wish->name_count > ACME_NAMES_MAX)
		return NULL;
	acme = calloc(1, sizeof(*acme));
	if (!acme)
		return NULL;
	acme->wish = wish;
	acme->authorizations = calloc(ACME_NAMES_MAX, URL_SIZE);
	buf_init(&acme->body, BODY_MAX);
	buf_init(&acme->chain, ACME_ANSWER_MAX);
	if (acme->authorizations)
		return acme;
	acme_close(acme);
	return NULL;
}

void acme_close(struct acme *acme)
{
	if (!acme)
		return;
	buf_done(&acme->body);
	buf_done(&acme->chain);
	free(acme->authorizations);
	free(acme);
}

static bool sign(struct acme *acme)
{
	json_t *(*make)(const struct acme *acme) = steps[acme->step].payload;
	json_t *payload = make ? make(acme) : NULL;
	char *text = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
	struct acme_envelope envelope = { .url = url_of(acme),
					  .nonce = acme->nonce,
					  .account_url =
						  acme->has_account ? acme->account_url : NULL,
					  .payload = text ? slice_of(text) : SLICE("") };
	bool is_signed = make == NULL || text != NULL;

	buf_reset(&acme->body);
	is_signed = is_signed && acme_sign(acme->wish->account, &envelope, &acme->body);
	json_decref(payload);
	free(text);
	acme->nonce[0] = '\0';
	return is_signed;
}

enum acme_next acme_next(struct acme *acme, struct acme_request *request)
{
	if (acme->step == STEP_DONE)
		return ACME_DONE;
	if (acme->step == STEP_FAILED)
		return ACME_FAILED;
	if (acme->must_wait) {
		acme->must_wait = false;
		return ACME_WAIT;
	}
	if (acme->step == STEP_PUBLISH) {
		go(acme, STEP_CHALLENGE);
		return ACME_PUBLISH;
	}
	*request = (struct acme_request){ .method = ACME_GET, .url = url_of(acme) };
	acme->asks_for_nonce = steps[acme->step].is_signed && !acme->nonce[0];
	if (!steps[acme->step].is_signed)
		return ACME_ASK;
	if (acme->asks_for_nonce) {
		request->method = ACME_HEAD;
		request->url = acme->nonce_url;
		return ACME_ASK;
	}
	if (!sign(acme)) {
		fail(acme, "out of memory");
		return ACME_FAILED;
	}
	request->method = ACME_POST;
	request->body = buf_slice(&acme->body);
	return ACME_ASK;
}

static bool is_nonce_trouble(const json_t *problem)
{
	const char *type = json_string_value(json_object_get(problem, "type"));

	return type && strcmp(type, "urn:ietf:params:acme:error:badNonce") == 0;
}

static void take_refusal(struct acme *acme, const struct acme_answer *answer, const json_t *problem)
{
	char what[100];

	/* Its answer has the next one (RFC 8555 section 6.5). */
	if (is_nonce_trouble(problem) && ++acme->bad_nonces <= NONCES_MAX)
		return;
	if (answer->status == HTTP_TOO_MANY || answer->status == HTTP_AWAY)
		acme->rest_s = answer->retry_after_s;
	snprintf(what, sizeof(what), "the authority refuses %s with %u", steps[acme->step].what,
		 answer->status);
	fail_by(acme, what, problem);
}

static bool is_good(u32 status)
{
	return status == HTTP_OK || status == HTTP_CREATED;
}

void acme_take(struct acme *acme, const struct acme_answer *answer)
{
	const struct slice text = slice_first(answer->body, ACME_ANSWER_MAX);
	json_t *body;

	if (acme->step >= STEP_DONE)
		return;
	acme->nonce[0] = '\0';
	if (acme_is_base64(answer->nonce, NONCE_SIZE - 1))
		slice_copy(acme->nonce, sizeof(acme->nonce), answer->nonce);
	if (acme->asks_for_nonce) {
		if (!acme->nonce[0])
			fail(acme, "the authority gives no nonce: its answer is %u",
			     answer->status);
		return;
	}
	body = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!is_good(answer->status)) {
		take_refusal(acme, answer, body);
	} else if (steps[acme->step].has_json && !json_is_object(body)) {
		fail(acme, "the authority's answer about %s cannot be read",
		     steps[acme->step].what);
	} else {
		acme->bad_nonces = 0;
		steps[acme->step].answer(acme, answer, body);
	}
	json_decref(body);
}

void acme_challenge(const struct acme *acme, const char **token, const char **text)
{
	*token = acme->token;
	*text = acme->proof;
}

u64 acme_wait_ms(const struct acme *acme)
{
	return acme->wait_ms;
}

struct slice acme_chain(const struct acme *acme)
{
	return buf_slice(&acme->chain);
}

const struct error *acme_trouble(const struct acme *acme)
{
	return &acme->trouble;
}

u64 acme_rest_s(const struct acme *acme)
{
	return acme->rest_s;
}
