#include "dns/sts_fetch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/text.h"
#include "base/thread.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AT_ONCE 64
#define CONNECT_MS 20000L
#define POLL_MS 1000 /* deadlines of what waits are looked at so often */
#define HOST_SIZE (256 + sizeof(STS_HOST_PREFIX))
#define CERTIFICATES "/etc/ssl/cert.pem" /* of the appliance; elsewhere curl knows its own */

struct fetch {
	struct list node; /* of asked, running or done */
	char host[HOST_SIZE];
	char *url; /* of a report; NULL: a policy is fetched */
	u16 port;
	u64 until_ns;
	CURL *curl;
	struct curl_slist *where; /* host, port and addresses, as curl wants them */
	struct curl_slist *fields;
	struct buf body; /* that comes; of a report: that goes */
	char trouble[CURL_ERROR_SIZE];
	struct sts_fetched result;
};

struct sts_fetcher {
	pthread_t thread;
	int wake_fd;
	CURLM *multi;	     /* the thread's */
	struct list running; /* likewise */
	u32 running_count;
	pthread_mutex_t mutex; /* of what follows */
	struct list asked;
	struct list done;
	u32 count; /* in all three lists */
	bool stopping;
};

/* ---- one transfer ---- */

static void free_fetch(struct fetch *fetch)
{
	curl_easy_cleanup(fetch->curl);
	curl_slist_free_all(fetch->where);
	curl_slist_free_all(fetch->fields);
	free(fetch->url);
	buf_done(&fetch->body);
	free(fetch);
}

/* What is too long ends the transfer. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct fetch *fetch = context;

	buf_add(&fetch->body, bytes, size * count);
	return fetch->body.failed ? 0 : size * count;
}

static const char *roots(void)
{
	const char *file = getenv("SSL_CERT_FILE");

	if (file)
		return file;
	return access(CERTIFICATES, R_OK) == 0 ? CERTIFICATES : NULL;
}

/* What a host says to a report is not looked at; if it never ends, its time does. */
static size_t drop_body(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

/* Section 3.3: the certificate is the policy host's. */
static bool set_up_fetch(struct fetch *fetch)
{
	CURL *curl = fetch->curl;
	char url[HOST_SIZE + 64];

	snprintf(url, sizeof(url), "https://%s:%u/.well-known/mta-sts.txt", fetch->host,
		 fetch->port);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (roots() && curl_easy_setopt(curl, CURLOPT_CAINFO, roots()) != CURLE_OK)
		return false;
	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK;
}

static bool add_field(struct fetch *fetch, const char *field)
{
	struct curl_slist *more = curl_slist_append(fetch->fields, field);

	if (more)
		fetch->fields = more;
	return more != NULL;
}

static bool set_up_post(struct fetch *fetch)
{
	CURL *curl = fetch->curl;

	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->body.ptr);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)fetch->body.len);
	/* It is sent at once: hosts that do not know 100-continue would cost a second. */
	return add_field(fetch, "Content-Type: application/tlsrpt+gzip") &&
	       add_field(fetch, "Expect:") &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetch->fields) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_URL, fetch->url) == CURLE_OK;
}

/* HTTPS alone, and no redirect is followed. */
static bool set_up(struct fetch *fetch, u64 now_ns)
{
	CURL *curl = fetch->curl = curl_easy_init();
	long left_ms = (long)((fetch->until_ns - now_ns) / NS_PER_MS) + 1;

	if (!curl)
		return false;
	curl_easy_setopt(curl, CURLOPT_PRIVATE, fetch);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->trouble);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)STS_BODY_MAX);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, fetch->where);
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       (fetch->url ? set_up_post(fetch) : set_up_fetch(fetch));
}

static bool is_plain_text(const char *type)
{
	struct slice rest = type ? slice_of(type) : SLICE_NONE;

	return slice_equal_nocase(slice_trim(slice_split(&rest, ';')), SLICE("text/plain"));
}

static enum sts_trouble trouble_of(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ?
		       STS_TROUBLE_CERTIFICATE :
		       STS_TROUBLE_FETCH;
}

static void judge_policy(struct fetch *fetch, long status)
{
	struct sts_fetched *result = &fetch->result;
	const char *type = NULL;

	curl_easy_getinfo(fetch->curl, CURLINFO_CONTENT_TYPE, &type);
	result->trouble = STS_TROUBLE_POLICY;
	if (status != 200) {
		result->trouble = STS_TROUBLE_FETCH;
		snprintf(result->why, sizeof(result->why), "the policy host answered %ld", status);
	} else if (!is_plain_text(type)) {
		snprintf(result->why, sizeof(result->why), "the policy is no plain text");
	} else if (!sts_policy_read(&result->policy, buf_slice(&fetch->body))) {
		snprintf(result->why, sizeof(result->why), "the policy is malformed");
	} else {
		result->ok = true;
	}
}

static void judge(struct fetch *fetch, CURLcode code)
{
	struct sts_fetched *result = &fetch->result;
	long status = 0;

	curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		result->trouble = (u8)trouble_of(code);
		slice_copy(result->why, sizeof(result->why),
			   slice_of(fetch->trouble[0] ? fetch->trouble
						      : curl_easy_strerror(code)));
	} else if (!fetch->url) {
		judge_policy(fetch, status);
	} else {
		result->ok = status / 100 == 2;
		snprintf(result->why, sizeof(result->why), "the host answered %ld", status);
	}
}

/* ---- the thread ---- */

static void drain(int fd)
{
	u64 count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void end_fetch(struct sts_fetcher *fetcher, struct fetch *fetch)
{
	list_unlink(&fetch->node);
	curl_easy_cleanup(fetch->curl);
	fetch->curl = NULL;
	pthread_mutex_lock(&fetcher->mutex);
	list_push_back(&fetcher->done, &fetch->node);
	pthread_mutex_unlock(&fetcher->mutex);
}

static void start_fetch(struct sts_fetcher *fetcher, struct fetch *fetch)
{
	const u64 now_ns = clock_mono_ns();

	if (now_ns >= fetch->until_ns) {
		snprintf(fetch->result.why, sizeof(fetch->result.why), "no time was left for it");
		end_fetch(fetcher, fetch);
		return;
	}
	if (!set_up(fetch, now_ns) ||
	    curl_multi_add_handle(fetcher->multi, fetch->curl) != CURLM_OK) {
		snprintf(fetch->result.why, sizeof(fetch->result.why), "out of memory");
		end_fetch(fetcher, fetch);
		return;
	}
	list_push_back(&fetcher->running, &fetch->node);
	fetcher->running_count++;
}

/* False: it is to end. */
static bool start_more(struct sts_fetcher *fetcher)
{
	struct list *node = NULL;
	bool stopping;

	do {
		pthread_mutex_lock(&fetcher->mutex);
		stopping = fetcher->stopping;
		node = !stopping && fetcher->running_count < AT_ONCE ?
			       list_pop_front(&fetcher->asked) :
			       NULL;
		pthread_mutex_unlock(&fetcher->mutex);
		if (node)
			start_fetch(fetcher, list_entry(node, struct fetch, node));
	} while (node);
	return !stopping;
}

static void take_results(struct sts_fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		CURLcode code = message->data.result;
		CURL *curl = message->easy_handle;
		char *context = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(curl, CURLINFO_PRIVATE, &context);
		judge((struct fetch *)(void *)context, code);
		curl_multi_remove_handle(fetcher->multi, curl);
		fetcher->running_count--;
		end_fetch(fetcher, (struct fetch *)(void *)context);
	}
}

static void *run(void *argument)
{
	struct sts_fetcher *fetcher = argument;
	struct curl_waitfd wake = { .fd = fetcher->wake_fd, .events = CURL_WAIT_POLLIN };

	while (start_more(fetcher)) {
		int running;

		curl_multi_perform(fetcher->multi, &running);
		take_results(fetcher);
		/* What may be started now is started first. */
		if (curl_multi_poll(fetcher->multi, &wake, 1,
				    fetcher->running_count < AT_ONCE ? POLL_MS : POLL_MS / 4,
				    NULL) != CURLM_OK)
			usleep(POLL_MS);
		drain(fetcher->wake_fd);
	}
	return NULL;
}

/* ---- from outside ---- */

static void wake_up(struct sts_fetcher *fetcher)
{
	const u64 one = 1;

	/* Fails only when the counter is full, and then the thread wakes anyway. */
	(void)!write(fetcher->wake_fd, &one, sizeof(one));
}

static bool start_thread(struct sts_fetcher *fetcher)
{
	int code;

	code = thread_start(&fetcher->thread, run, fetcher);
	return code == 0;
}

struct sts_fetcher *sts_fetcher_open(struct error *error)
{
	struct sts_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher) {
		error_set(error, "out of memory for fetching policies");
		return NULL;
	}
	list_init(&fetcher->running);
	list_init(&fetcher->asked);
	list_init(&fetcher->done);
	pthread_mutex_init(&fetcher->mutex, NULL);
	fetcher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fetcher->wake_fd >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		fetcher->multi = curl_multi_init();
	if (fetcher->multi && start_thread(fetcher))
		return fetcher;
	error_set(error, "no thread for fetching policies");
	curl_multi_cleanup(fetcher->multi);
	if (fetcher->wake_fd >= 0)
		close(fetcher->wake_fd);
	pthread_mutex_destroy(&fetcher->mutex);
	free(fetcher);
	return NULL;
}

static void free_all(struct list *fetches)
{
	struct list *node;

	while ((node = list_pop_front(fetches)))
		free_fetch(list_entry(node, struct fetch, node));
}

void sts_fetcher_close(struct sts_fetcher *fetcher)
{
	if (!fetcher)
		return;
	pthread_mutex_lock(&fetcher->mutex);
	fetcher->stopping = true;
	pthread_mutex_unlock(&fetcher->mutex);
	wake_up(fetcher);
	pthread_join(fetcher->thread, NULL);
	list_for_each(node, &fetcher->running)
		curl_multi_remove_handle(fetcher->multi,
					 list_entry(node, struct fetch, node)->curl);
	free_all(&fetcher->running);
	free_all(&fetcher->asked);
	free_all(&fetcher->done);
	curl_multi_cleanup(fetcher->multi);
	close(fetcher->wake_fd);
	pthread_mutex_destroy(&fetcher->mutex);
	free(fetcher);
}

/* "mta-sts.x.test:443:192.0.2.1,2001:db8::1" */
static bool set_where(struct fetch *fetch, const struct net_address *addresses, u32 count)
{
	char text[HOST_SIZE + 16 + 8 * NET_ADDRESS_TEXT_SIZE];
	char address[NET_ADDRESS_TEXT_SIZE];
	int len = snprintf(text, sizeof(text), "%s:%u:", fetch->host, fetch->port);

	for (u32 i = 0; i < count && i < 8; i++) {
		net_address_format(address, &addresses[i], false);
		len += snprintf(text + len, sizeof(text) - (size_t)len, i ? ",%s" : "%s", address);
	}
	fetch->where = curl_slist_append(NULL, text);
	return fetch->where != NULL;
}

static struct fetch *make_fetch(u64 cookie)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return NULL;
	buf_init(&fetch->body, STS_BODY_MAX);
	list_init(&fetch->node);
	fetch->result.cookie = cookie;
	fetch->until_ns = clock_mono_ns() + STS_FETCH_MS * NS_PER_MS;
	return fetch;
}

/* Becomes the thread's, or is freed: false. */
static bool hand_over(struct sts_fetcher *fetcher, struct fetch *fetch)
{
	bool has_room;

	pthread_mutex_lock(&fetcher->mutex);
	has_room = fetcher->count < STS_FETCHES_MAX;
	if (has_room) {
		list_push_back(&fetcher->asked, &fetch->node);
		fetcher->count++;
	}
	pthread_mutex_unlock(&fetcher->mutex);
	if (has_room)
		wake_up(fetcher);
	else
		free_fetch(fetch);
	return has_room;
}

bool sts_fetch(struct sts_fetcher *fetcher, const char *domain,
	       const struct net_address *addresses, u32 address_count, u64 cookie)
{
	struct fetch *fetch = make_fetch(cookie);

	if (!fetch)
		return false;
	snprintf(fetch->host, sizeof(fetch->host), STS_HOST_PREFIX "%s", domain);
	fetch->port = address_count > 0 ? addresses[0].port : 0;
	if (address_count == 0 || !set_where(fetch, addresses, address_count)) {
		free_fetch(fetch);
		return false;
	}
	return hand_over(fetcher, fetch);
}

bool sts_post(struct sts_fetcher *fetcher, const struct sts_post *post, u64 cookie)
{
	struct fetch *fetch = make_fetch(cookie);

	if (!fetch)
		return false;
	fetch->url = strndup(post->url.ptr, post->url.len);
	buf_add_slice(&fetch->body, post->body);
	fetch->port = post->address_count > 0 ? post->addresses[0].port : 0;
	if (!fetch->url || fetch->body.failed || post->address_count == 0 ||
	    !slice_copy(fetch->host, sizeof(fetch->host), slice_of(post->host)) ||
	    !set_where(fetch, post->addresses, post->address_count)) {
		free_fetch(fetch);
		return false;
	}
	return hand_over(fetcher, fetch);
}

bool sts_has_fetched(struct sts_fetcher *fetcher)
{
	bool has;

	pthread_mutex_lock(&fetcher->mutex);
	has = !list_is_empty(&fetcher->done);
	pthread_mutex_unlock(&fetcher->mutex);
	return has;
}

bool sts_next_fetched(struct sts_fetcher *fetcher, struct sts_fetched *fetched)
{
	struct list *node;

	pthread_mutex_lock(&fetcher->mutex);
	node = list_pop_front(&fetcher->done);
	if (node)
		fetcher->count--;
	pthread_mutex_unlock(&fetcher->mutex);
	if (!node)
		return false;
	*fetched = list_entry(node, struct fetch, node)->result;
	free_fetch(list_entry(node, struct fetch, node));
	return true;
}
