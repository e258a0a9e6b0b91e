#include "hook/post.h"

#include "base/clock.h"
#include "base/net_address.h"
#include "base/text.h"
#include "base/version.h"
#include "hook/signature.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 10000L
#define ANSWER_MAX (64u << 10) /* bytes of an answer's body; more ends the connection */
#define HEADER_MAX 1024
#define CERTIFICATES "/etc/ssl/cert.pem" /* of the appliance; elsewhere curl knows its own */

struct post {
	CURL *curl; /* kept from one post to the next, as its connection is */
	struct curl_slist *headers;
	u64 begun_ns;
	size_t answer_len;
	bool is_running;
	bool allow_private;
	char denied[NET_ADDRESS_TEXT_SIZE]; /* an address that was not connected to */
	char trouble[CURL_ERROR_SIZE];
	char words[CURL_ERROR_SIZE + 64];
};

struct hook_posts {
	CURLM *multi;
	size_t count;
	u32 running;
	struct post posts[];
};

/* ---- what libcurl asks ---- */

static size_t drop_body(char *bytes, size_t size, size_t count, void *context)
{
	struct post *post = context;

	(void)bytes;
	post->answer_len += size * count;
	return post->answer_len <= ANSWER_MAX ? size * count : 0;
}

static bool read_address(const struct sockaddr *from, struct net_address *to)
{
	*to = (struct net_address){ 0 };
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;

		to->family = 4;
		memcpy(to->ip, &in->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)from;

		to->family = 6;
		memcpy(to->ip, &in->sin6_addr, 16);
	}
	return to->family != 0;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *at)
{
	struct post *post = context;
	struct net_address address;

	if (purpose != CURLSOCKTYPE_IPCXN || !read_address(&at->addr, &address))
		return CURL_SOCKET_BAD;
	if (!post->allow_private && net_address_is_special(&address)) {
		net_address_format(post->denied, &address, false);
		return CURL_SOCKET_BAD;
	}
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

/* ---- one post ---- */

static bool add_header(struct post *post, const char *text)
{
	struct curl_slist *more = curl_slist_append(post->headers, text);

	if (more)
		post->headers = more;
	return more != NULL;
}

static bool add_headers(struct post *post, const struct hook_secrets *secrets,
			const struct hook_batch *batch, u64 wall_ms)
{
	const u64 now_s = wall_ms / MS_PER_S;
	char text[HEADER_MAX];
	struct buf signature;
	bool done;

	curl_slist_free_all(post->headers);
	post->headers = NULL;
	buf_init(&signature, HEADER_MAX);
	buf_add_text(&signature, "webhook-signature: ");
	hook_sign(secrets, batch->id, now_s, buf_slice(&batch->body), &signature);
	done = !signature.failed && add_header(post, buf_text(&signature));
	buf_done(&signature);
	snprintf(text, sizeof(text), "webhook-id: %s", batch->id);
	done &= add_header(post, text);
	snprintf(text, sizeof(text), "webhook-timestamp: %llu", (unsigned long long)now_s);
	done &= add_header(post, text);
	/* No waiting for a "100 Continue" that many servers never send. */
	return done && add_header(post, "Content-Type: application/json") &&
	       add_header(post, "Expect:");
}

static const char *certificates(const struct config_hook *hook)
{
	const char *file = getenv("SSL_CERT_FILE");

	if (hook->ca_file)
		return hook->ca_file;
	if (file)
		return file;
	return access(CERTIFICATES, R_OK) == 0 ? CERTIFICATES : NULL;
}

static bool set_up(struct post *post, const struct config_hook *hook,
		   const struct hook_batch *batch)
{
	CURL *curl = post->curl;
	const char *roots = certificates(hook);

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, post);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->trouble);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, post);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, post);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)min_u64(CONNECT_MS, hook->timeout_ms));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)hook->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, batch->body.ptr);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)batch->body.len);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
	if (roots && curl_easy_setopt(curl, CURLOPT_CAINFO, roots) != CURLE_OK)
		return false;
	return curl_easy_setopt(curl, CURLOPT_USERAGENT, "hikyaku/" HIKYAKU_VERSION) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_URL, hook->url) == CURLE_OK;
}

bool hook_post(struct hook_posts *posts, size_t place, const struct config_hook *hook,
	       const struct hook_secrets *secrets, const struct hook_batch *batch, u64 wall_ms)
{
	struct post *post = &posts->posts[place];

	if (!post->curl)
		post->curl = curl_easy_init();
	post->allow_private = hook->allow_private;
	post->answer_len = 0;
	post->denied[0] = post->trouble[0] = '\0';
	if (!post->curl || !add_headers(post, secrets, batch, wall_ms) ||
	    !set_up(post, hook, batch) ||
	    curl_multi_add_handle(posts->multi, post->curl) != CURLM_OK)
		return false;
	post->begun_ns = clock_mono_ns();
	post->is_running = true;
	posts->running++;
	return true;
}

/* ---- answers ---- */

void hook_posts_turn(struct hook_posts *posts, int fd, u32 wait_ms)
{
	struct curl_waitfd wait = { .fd = fd, .events = CURL_WAIT_POLLIN };
	int running;

	curl_multi_perform(posts->multi, &running);
	/* What has ended is looked at first. */
	if ((u32)running < posts->running)
		wait_ms = 0;
	if (curl_multi_poll(posts->multi, &wait, 1, (int)wait_ms, NULL) != CURLM_OK)
		usleep(wait_ms * 1000);
}

static void judge(struct post *post, CURLcode code, struct courier_answer *answer)
{
	curl_off_t retry_after = 0;
	long status = 0;

	*answer = (struct courier_answer){ .took_ms = (clock_mono_ns() - post->begun_ns) /
						     NS_PER_MS };
	curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(post->curl, CURLINFO_RETRY_AFTER, &retry_after);
	/* Of an answer that is too long the status counts all the same. */
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && post->answer_len > ANSWER_MAX))
		answer->status = (u32)max_u64(0, (u64)status);
	answer->retry_after_s = retry_after > 0 ? (u64)retry_after : 0;
	if (post->denied[0])
		snprintf(post->words, sizeof(post->words),
			 "its address %s is not public, and allow-private is not set",
			 post->denied);
	else
		snprintf(post->words, sizeof(post->words), "%s",
			 post->trouble[0] ? post->trouble : curl_easy_strerror(code));
	answer->words = post->words;
}

bool hook_posts_next(struct hook_posts *posts, size_t *place, struct courier_answer *answer)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(posts->multi, &left))) {
		CURL *curl = message->easy_handle;
		CURLcode code = message->data.result;
		char *context = NULL;
		struct post *post;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(curl, CURLINFO_PRIVATE, &context);
		post = (struct post *)(void *)context;
		judge(post, code, answer);
		curl_multi_remove_handle(posts->multi, curl);
		post->is_running = false;
		posts->running--;
		*place = (size_t)(post - posts->posts);
		return true;
	}
	return false;
}

u32 hook_posts_running(const struct hook_posts *posts)
{
	return posts->running;
}

/* ---- open and close ---- */

struct hook_posts *hook_posts_open(size_t count, struct error *error)
{
	struct hook_posts *posts = calloc(1, sizeof(*posts) + count * sizeof(posts->posts[0]));

	if (posts && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		posts->multi = curl_multi_init();
	if (posts && posts->multi) {
		posts->count = count;
		return posts;
	}
	free(posts);
	error_set(error, "out of memory for posts");
	return NULL;
}

void hook_posts_close(struct hook_posts *posts)
{
	if (!posts)
		return;
	for (size_t i = 0; i < posts->count; i++) {
		struct post *post = &posts->posts[i];

		if (post->is_running)
			curl_multi_remove_handle(posts->multi, post->curl);
		curl_easy_cleanup(post->curl);
		curl_slist_free_all(post->headers);
	}
	curl_multi_cleanup(posts->multi);
	free(posts);
}
