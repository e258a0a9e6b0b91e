/* The thread that checks: see identity.h. */
#include "base/clock.h"
#include "base/log.h"
#include "base/net_address.h"
#include "base/text.h"
#include "base/thread.h"
#include "delivery/identity_check.h"
#include "dns/mx_config.h"
#include "web/asker.h"
#include "web/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_NS (60 * NS_PER_S)
#define AGAIN_MS (6ull * 3600 * MS_PER_S)    /* what is well */
#define AGAIN_BAD_MS (30ull * 60 * MS_PER_S) /* what is not */
#define LOOKUP_TIMEOUT_MS 10000
#define RESULT_MAX (1u << 20) /* bytes of JSON */

struct identity_checker {
	struct identity_params params;
	struct audience_txn *reader;
	struct asker asker;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	bool stops;
	u64 asked;     /* how often, by others */
	u64 done;      /* up to which of them */
	bool was_away; /* and said already */
};

/* ---- one domain ---- */

struct work {
	struct identity_checker *checker;
	struct question_asker *dns;
	struct records records;
	const char *addresses[IDENTITY_ADDRESSES_MAX];
	char address_texts[IDENTITY_ADDRESSES_MAX][NET_ADDRESS_TEXT_SIZE];
	struct identity_key keys[IDENTITY_KEYS_MAX];
	size_t key_count;
	json_t *checks;
};

static bool is_stopping(struct identity_checker *checker)
{
	bool stops;

	pthread_mutex_lock(&checker->lock);
	stops = checker->stops;
	pthread_mutex_unlock(&checker->lock);
	return stops;
}

/* A question_source. Once the process is to end nothing more is asked; nothing is kept then. */
static void ask(void *arg, const char *name, u16 type, struct question_answer *answer)
{
	const struct work *work = arg;
	u32 timeout_ms = is_stopping(work->checker) ? 0 : IDENTITY_TIMEOUT_MS;

	question_ask(work->dns, name, type, timeout_ms, answer);
}

static json_t *details_json(const struct identity_row *row)
{
	json_t *details = json_array();

	for (size_t i = 0; i < IDENTITY_DETAILS && row->details[i]; i++)
		json_array_append_new(details, json_string(row->details[i]));
	return details;
}

static void tell(void *arg, const struct identity_row *row)
{
	struct work *work = arg;
	bool is_advised = row->advice != IDENTITY_ADVICE_NONE;
	struct buf publish;

	buf_init(&publish, 64u << 10);
	identity_add_publish(row, &publish);
	json_array_append_new(work->checks,
			      json_pack("{s:s, s:s, s:s, s:s*, s:o, s:s, s:s*, s:s*, s:s*, s:s*}",
					"check", row->what, "result",
					identity_verdict_name(row->verdict), "code", row->code,
					"reason", row->reason, "details", details_json(row),
					"found", row->found, "record", row->record, "advice",
					identity_advice_name(row->advice), "advice_text",
					is_advised ? row->advice_text : NULL, "publish",
					publish.len > 0 ? buf_text(&publish) : NULL));
	buf_done(&publish);
}

static void add_address(struct work *work, struct slice text)
{
	struct records *records = &work->records;
	char *room;

	if (records->address_count == IDENTITY_ADDRESSES_MAX)
		return;
	for (size_t i = 0; i < records->address_count; i++) {
		if (slice_equal(text, slice_of(records->addresses[i])))
			return;
	}
	room = work->address_texts[records->address_count];
	if (slice_copy(room, NET_ADDRESS_TEXT_SIZE, text))
		work->addresses[records->address_count++] = room;
}

/*
 * The address that the kernel takes for what goes to the outside: that of a UDP socket which is
 * "connected" to a root name server. Nothing is sent.
 */
static void add_chosen(struct work *work, const struct sockaddr *outside, socklen_t size)
{
	struct sockaddr_storage own = { 0 };
	socklen_t own_size = sizeof(own);
	char text[NET_ADDRESS_TEXT_SIZE];
	const void *bytes = outside->sa_family == AF_INET
				    ? (const void *)&((struct sockaddr_in *)&own)->sin_addr
				    : (const void *)&((struct sockaddr_in6 *)&own)->sin6_addr;
	int fd = socket(outside->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, outside, size) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &own_size) == 0 &&
	    inet_ntop(outside->sa_family, bytes, text, sizeof(text)))
		add_address(work, slice_of(text));
	close(fd);
}

static void add_any(struct work *work)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };

	if (inet_pton(AF_INET, "198.41.0.4", &v4.sin_addr) == 1)
		add_chosen(work, (const struct sockaddr *)&v4, sizeof(v4));
	if (inet_pton(AF_INET6, "2001:503:ba3e::2:30", &v6.sin6_addr) == 1)
		add_chosen(work, (const struct sockaddr *)&v6, sizeof(v6));
}

static void take_addresses(struct work *work, const json_t *addresses)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *address = asker_text(one, "address");

		if (i == 0)
			work->records.hostname = asker_text(one, "ehlo");
		if (strcmp(address, CONFIG_ANY_ADDRESS) == 0)
			add_any(work);
		else
			add_address(work, slice_of(address));
	}
}

static void take_keys(struct work *work, const json_t *keys)
{
	for (size_t i = 0; i < json_array_size(keys) && i < IDENTITY_KEYS_MAX; i++) {
		const json_t *one = json_array_get(keys, i);
		struct identity_key *key = &work->keys[work->key_count];

		key->record = strdup(asker_text(one, "record"));
		if (key->record &&
		    slice_copy(key->name, sizeof(key->name), slice_of(asker_text(one, "name"))))
			work->key_count++;
		else
			free(key->record);
	}
}

/* The last result of a domain; NULL: there is none. */
static json_t *read_latest(struct identity_checker *checker, const char *domain)
{
	json_t *latest = NULL;

	if (audience_begin_read(checker->reader) == STORE_OK)
		latest = identity_latest(checker->reader, slice_of(domain));
	audience_abort(checker->reader);
	return latest;
}

/* Of one customer, as identity.show has it. NULL: no memory. */
static json_t *check_domain(struct work *work, const json_t *customer)
{
	const struct config_dns *dns = &work->checker->params.config->dns;
	struct identity_check check = { .records = &work->records,
					.keys = work->keys,
					.block_lists = &dns->block_lists,
					.ask = ask,
					.ask_arg = work,
					.tell = tell,
					.tell_arg = work };
	json_t *before = read_latest(work->checker, asker_text(customer, "domain"));
	json_t *result;

	work->records = (struct records){ .domain = asker_text(customer, "domain"),
					  .hostname = "",
					  .addresses = work->addresses };
	work->key_count = 0;
	work->checks = json_array();
	take_addresses(work, json_object_get(customer, "addresses"));
	take_keys(work, json_object_get(customer, "keys"));
	check.key_count = work->key_count;
	identity_check_all(&check);
	for (size_t i = 0; i < work->key_count; i++)
		free(work->keys[i].record);
	result = json_pack("{s:s, s:I, s:b, s:i, s:o}", "domain", work->records.domain,
			   "checked_ms", (json_int_t)clock_wall_ms(), "aligned", check.is_aligned,
			   "failed", (int)check.failed, "checks", work->checks);
	identity_add_since(result, before);
	json_decref(before);
	return result;
}

/* ---- keeping ---- */

struct keeping {
	struct scribe_order order;
	char name[300];
	struct slice value;
};

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	const struct keeping *keeping = container_of(order, struct keeping, order);

	return audience_setting_put(txn, slice_of(keeping->name), keeping->value);
}

static void keep(struct identity_checker *checker, const char *domain, const json_t *result)
{
	struct keeping keeping = { .order.apply = apply };
	char *text = json_dumps(result, JSON_COMPACT);

	keeping.value = slice_of(text ? text : "");
	snprintf(keeping.name, sizeof(keeping.name), "identity/%.253s", domain);
	if (keeping.value.len == 0 || keeping.value.len > RESULT_MAX)
		log_error("web", "what DNS says could not be kept", "domain=%s bytes=%zu", domain,
			  keeping.value.len);
	else if (scribe_do(checker->params.scribe, &keeping.order) != STORE_OK)
		log_error("web", "what DNS says could not be kept", "domain=%s reason=%s", domain,
			  keeping.order.error.text);
	free(text);
}

/* ---- all of them ---- */

static bool is_due(struct identity_checker *checker, const char *domain)
{
	u64 now_ms = clock_wall_ms();
	json_t *latest = read_latest(checker, domain);
	json_int_t checked_ms;
	bool is_aligned;
	bool is_known;

	is_known = identity_is_fresh(latest, now_ms);
	is_aligned = identity_is_aligned(latest);
	checked_ms = json_integer_value(json_object_get(latest, "checked_ms"));
	json_decref(latest);
	return !is_known || now_ms - (u64)checked_ms >= (is_aligned ? AGAIN_MS : AGAIN_BAD_MS);
}

static bool is_any_due(struct identity_checker *checker)
{
	const struct config *config = checker->params.config;

	for (size_t i = 0; i < config->customer_count; i++) {
		if (is_due(checker, config->customers[i].domain))
			return true;
	}
	return false;
}

static void check_customers(struct identity_checker *checker, const json_t *customers, bool all)
{
	struct net_range allowed[CONFIG_LIST_MAX];
	struct mx_params params = { .timeout_ms = LOOKUP_TIMEOUT_MS };
	struct work *work = calloc(1, sizeof(*work));
	struct error error = { "no memory" };

	mx_params_take(&params, &checker->params.config->dns, allowed);
	if (work)
		work->dns = question_open(&params, &error);
	for (size_t i = 0; work && work->dns && i < json_array_size(customers); i++) {
		const json_t *customer = json_array_get(customers, i);
		const char *domain = asker_text(customer, "domain");
		json_t *result;

		if (is_stopping(checker) || (!all && !is_due(checker, domain)))
			continue;
		work->checker = checker;
		result = check_domain(work, customer);
		if (result && !is_stopping(checker))
			keep(checker, domain, result);
		json_decref(result);
	}
	if (!work || !work->dns)
		log_error("web", "DNS cannot be asked", "reason=%s", error.text);
	else
		question_close(work->dns);
	free(work);
}

static void check_all(struct identity_checker *checker, bool all)
{
	struct asker_answer answer;
	bool is_away = asker_ask(&checker->asker, json_pack("{s:s}", "command", "identity.show"),
				 &answer) != ASKER_REPLIED;

	if (is_away && !checker->was_away)
		log_warn("web", "the identity is not checked: the sender does not tell its keys",
			 "");
	if (!is_away)
		check_customers(checker, answer.items, all);
	checker->was_away = is_away;
	asker_answer_done(&answer);
}

/* ---- the thread ---- */

/* False: it is to stop. *asked: how often it was asked for by then. */
static bool wait(struct identity_checker *checker, u64 *asked)
{
	u64 until_ns = clock_mono_ns() + TURN_NS;
	bool stops;

	pthread_mutex_lock(&checker->lock);
	while (!checker->stops && checker->asked == checker->done &&
	       thread_wait_until(&checker->wakes, &checker->lock, until_ns))
		;
	stops = checker->stops;
	*asked = checker->asked;
	pthread_mutex_unlock(&checker->lock);
	return !stops;
}

static void *checker_run(void *argument)
{
	struct identity_checker *checker = argument;
	u64 asked = 0;

	do {
		bool all = asked != checker->done;

		if (all || (checker->params.config->web.check_identity && is_any_due(checker)))
			check_all(checker, all);
		pthread_mutex_lock(&checker->lock);
		checker->done = asked;
		pthread_mutex_unlock(&checker->lock);
	} while (wait(checker, &asked));
	return NULL;
}

u64 identity_ask_anew(struct identity_checker *checker)
{
	u64 asked;

	pthread_mutex_lock(&checker->lock);
	asked = ++checker->asked;
	pthread_cond_signal(&checker->wakes);
	pthread_mutex_unlock(&checker->lock);
	return asked;
}

bool identity_is_done(struct identity_checker *checker, u64 asked)
{
	bool is_done;

	pthread_mutex_lock(&checker->lock);
	is_done = checker->done >= asked || checker->stops;
	pthread_mutex_unlock(&checker->lock);
	return is_done;
}

static void free_checker(struct identity_checker *checker)
{
	asker_done(&checker->asker);
	audience_txn_close(checker->reader);
	pthread_cond_destroy(&checker->wakes);
	pthread_mutex_destroy(&checker->lock);
	free(checker);
}

struct identity_checker *identity_checker_open(const struct identity_params *params,
					       struct error *error)
{
	struct identity_checker *checker = calloc(1, sizeof(*checker));
	int code;

	if (!checker) {
		error_set(error, "no memory for the thread that checks the identity");
		return NULL;
	}
	checker->params = *params;
	asker_init(&checker->asker, params->config->control);
	pthread_mutex_init(&checker->lock, NULL);
	thread_condition_init(&checker->wakes);
	checker->reader = audience_txn_open(params->audience);
	code = checker->reader ? thread_start(&checker->thread, checker_run, checker) : ENOMEM;
	if (code == 0)
		return checker;
	error_set_errno(error, code, "the thread that checks the identity cannot be started");
	free_checker(checker);
	return NULL;
}

void identity_checker_stop(struct identity_checker *checker)
{
	pthread_mutex_lock(&checker->lock);
	checker->stops = true;
	pthread_cond_signal(&checker->wakes);
	pthread_mutex_unlock(&checker->lock);
}

void identity_checker_close(struct identity_checker *checker)
{
	if (!checker)
		return;
	identity_checker_stop(checker);
	pthread_join(checker->thread, NULL);
	free_checker(checker);
}
