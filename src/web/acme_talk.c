#include "web/acme_talk.h"

#include "base/clock.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "web/acme.h"
#include "web/front_config.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_S 30L
#define ANSWER_S 60L
#define REQUESTS_MAX 1000 /* of one conversation: far more than 100 names need */
#define PATH_SIZE 4200
#define FIELD_MAX 2048	  /* bytes of a header field that counts */
#define CERTIFICATES "/etc/ssl/cert.pem" /* of the appliance; elsewhere curl knows its own */

struct talk {
	const struct config_www *www;
	CURL *curl;
	struct acme *acme;
	struct buf body;
	char nonce[FIELD_MAX];
	char location[FIELD_MAX];
	char trouble[CURL_ERROR_SIZE];
	char proof[PATH_SIZE]; /* file that is to go; "": none */
};

/* ---- HTTP ---- */

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct talk *talk = context;

	buf_add(&talk->body, bytes, size * count);
	return talk->body.failed ? 0 : size * count;
}

static void take_field(struct slice line, struct slice name, char out[FIELD_MAX])
{
	if (slice_has_prefix_nocase(line, name) &&
	    !slice_copy(out, FIELD_MAX, slice_trim(slice_from(line, name.len))))
		out[0] = '\0'; /* cut, it would be another one */
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct talk *talk = context;
	struct slice line = { bytes, size * count };

	while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
		line.len--;
	take_field(line, SLICE("Replay-Nonce:"), talk->nonce);
	take_field(line, SLICE("Location:"), talk->location);
	return size * count;
}

static CURLcode set_up(struct talk *talk, const struct acme_request *request,
		       struct curl_slist *headers)
{
	CURL *curl = talk->curl;
	const char *roots = talk->www->acme_ca_file;
	CURLcode code;

	if (!roots && access(CERTIFICATES, R_OK) == 0)
		roots = CERTIFICATES;
	/* Its connection is kept; options of the request before are not. */
	curl_easy_reset(curl);
	code = curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, talk->trouble);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, talk);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, talk);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_S);
	/* RFC 8555 section 6.1 wants one. */
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hikyaku/" HIKYAKU_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (request->method == ACME_HEAD)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (request->method == ACME_POST) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.ptr);
	}
	if (code == CURLE_OK && roots)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, roots);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	return code;
}

static bool ask(struct talk *talk, const struct acme_request *request, struct error *error)
{
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/jose+json");
	struct acme_answer answer = { .status = 0 };
	curl_off_t rest = 0;
	long status = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	buf_reset(&talk->body);
	talk->nonce[0] = talk->location[0] = talk->trouble[0] = '\0';
	if (headers)
		code = set_up(talk, request, headers);
	if (code == CURLE_OK)
		code = curl_easy_perform(talk->curl);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return error_set(error, "the authority at %.200s: %s", request->url,
				 talk->trouble[0] ? talk->trouble : curl_easy_strerror(code));
	curl_easy_getinfo(talk->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(talk->curl, CURLINFO_RETRY_AFTER, &rest);
	answer.status = (u32)status;
	answer.nonce = slice_of(talk->nonce);
	answer.location = slice_of(talk->location);
	answer.retry_after_s = rest > 0 ? (u64)rest : 0;
	answer.body = buf_slice(&talk->body);
	acme_take(talk->acme, &answer);
	return true;
}

/* ---- proofs ---- */

static void take_down(struct talk *talk)
{
	if (talk->proof[0])
		unlink(talk->proof);
	talk->proof[0] = '\0';
}

static bool put_up(struct talk *talk, struct error *error)
{
	const char *token;
	const char *text;

	take_down(talk);
	acme_challenge(talk->acme, &token, &text);
	if ((size_t)snprintf(talk->proof, sizeof(talk->proof), "%s" FRONT_CHALLENGES "/%s",
			     talk->www->run, token) >= sizeof(talk->proof)) {
		talk->proof[0] = '\0';
		return error_set(error, "%s: too long", talk->www->run);
	}
	return durable_replace(talk->proof, slice_of(text), 0644, error);
}

/* ---- the conversation ---- */

static bool go_on(struct talk *talk, struct error *error)
{
	struct acme_request request;

	for (u32 i = 0; i < REQUESTS_MAX; i++) {
		switch (acme_next(talk->acme, &request)) {
		case ACME_ASK:
			if (!ask(talk, &request, error))
				return false;
			break;
		case ACME_PUBLISH:
			if (!put_up(talk, error))
				return false;
			break;
		case ACME_WAIT:
			poll(NULL, 0, (int)acme_wait_ms(talk->acme));
			break;
		case ACME_DONE:
			return true;
		case ACME_FAILED:
			*error = *acme_trouble(talk->acme);
			return false;
		}
	}
	return error_set(error, "the authority does not come to an end");
}

/* Who we are there: made once, and kept, for limits and notices go by it. */
static struct crypto_ec *account_of(const struct config_www *www, struct error *error)
{
	struct crypto_ec *key = NULL;
	struct slice text;
	struct buf pem;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s" FRONT_ACCOUNT_PEM, www->folder);
	if (file_read(path, FRONT_PEM_MAX, &text, error)) {
		key = crypto_ec_read(text);
		free((char *)text.ptr);
		if (!key)
			error_set(error, "%s: no key of the curve P-256 in it", path);
		return key;
	}
	if (errno != ENOENT)
		return NULL;
	key = crypto_ec_make();
	buf_init(&pem, FRONT_PEM_MAX);
	if (!key || !crypto_ec_write(key, &pem)) {
		error_set(error, "out of memory");
		crypto_ec_free(key);
		key = NULL;
	} else if (!durable_create(path, buf_slice(&pem), error)) {
		crypto_ec_free(key);
		key = NULL;
	}
	buf_done(&pem);
	return key;
}

static bool keep(const struct config_www *www, const struct crypto_ec *key, struct slice chain,
		 struct error *error)
{
	struct crypto_certificate facts;
	char path[PATH_SIZE];
	struct buf pem;
	bool is_kept;

	snprintf(path, sizeof(path), "%s" FRONT_ACME_PEM, www->folder);
	buf_init(&pem, FRONT_PEM_MAX);
	is_kept = crypto_ec_write(key, &pem);
	buf_add_slice(&pem, chain);
	is_kept = (is_kept && !pem.failed) || error_set(error, "the certificate is too large");
	/* Whatever the authority sent: it has to be what was asked for. */
	if (is_kept && (!crypto_certificate_read(buf_slice(&pem), &facts) || !facts.has_key))
		is_kept = error_set(error, "the authority's certificate is not for our key");
	is_kept = is_kept && durable_replace(path, buf_slice(&pem), 0600, error);
	buf_done(&pem);
	return is_kept;
}

static bool talk_with_keys(struct talk *talk, const struct acme_wish *wish, u64 *rest_s,
			   struct error *error)
{
	bool is_done;

	talk->acme = acme_open(wish);
	talk->curl = curl_easy_init();
	buf_init(&talk->body, ACME_ANSWER_MAX);
	is_done = (talk->acme && talk->curl) ? go_on(talk, error)
					     : error_set(error, "out of memory");
	if (is_done)
		is_done = keep(talk->www, wish->key, acme_chain(talk->acme), error);
	else if (talk->acme)
		*rest_s = acme_rest_s(talk->acme);
	take_down(talk);
	buf_done(&talk->body);
	curl_easy_cleanup(talk->curl);
	acme_close(talk->acme);
	return is_done;
}

bool acme_talk(const struct config_www *www, const struct front_names *names, u64 *rest_s,
	       struct error *error)
{
	struct talk talk = { .www = www };
	struct acme_wish wish = { .directory = www->acme_directory,
				  .contact = www->acme_contact,
				  .names = names->items,
				  .name_count = names->count };
	struct crypto_ec *account;
	struct crypto_ec *key;
	bool is_done;

	*rest_s = 0;
	if (names->count > ACME_NAMES_MAX)
		return error_set(error, "more than %d names", ACME_NAMES_MAX);
	account = account_of(www, error);
	if (!account)
		return false;
	key = crypto_ec_make();
	wish.account = account;
	wish.key = key;
	is_done = key ? talk_with_keys(&talk, &wish, rest_s, error)
		      : error_set(error, "out of memory");
	crypto_ec_free(key);
	crypto_ec_free(account);
	return is_done;
}
