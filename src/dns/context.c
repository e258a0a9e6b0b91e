#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"
#include "dns/mx_parts.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>

#define ROOT_KEY_FILE "/usr/share/dns/root.key"
#define FAILED_PATIENCE_NS NS_PER_S

struct setting {
	const char *name;
	const char *value;
};

/*
 * Sizes: a sender asks for each domain once in a while and keeps the answers itself, so
 * libunbound's caches need to hold little more than what delegations have in common.
 */
static const struct setting settings[] = {
	{ "msg-cache-size:", "4m" },
	{ "rrset-cache-size:", "8m" },
	{ "key-cache-size:", "2m" },
	{ "neg-cache-size:", "1m" },
	{ "infra-cache-numhosts:", "10000" },
	{ "cache-max-ttl:", "86400" },
	/*
	 * Steps of a CNAME chain that need another query. With minimised names libunbound does not
	 * count them, so that a server could lead it on for ever: the limit is worth more than
	 * hiding from a parent zone's servers which of its children gets mail.
	 */
	{ "max-query-restarts:", "11" },
	{ "qname-minimisation:", "no" },
	{ "use-syslog:", "no" },
};

/*
 * libunbound has one code for all that keeps it from its zones and anchors: want of memory, which
 * errno tells, must not be taken for a wrong file.
 */
static bool fail(struct error *error, int code, const char *what, const char *which)
{
	return error_set(error, "dns: %s%s%s: %s", what, which[0] ? " " : "", which,
			 errno == ENOMEM ? "out of memory" : ub_strerror(code));
}

static bool set(struct ub_ctx *ctx, const char *name, const char *value, struct error *error)
{
	int code = ub_ctx_set_option(ctx, name, value);

	return code == 0 || fail(error, code, name, value);
}

static bool has_v6(const char *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strchr(items[i], ':'))
			return true;
	}
	return false;
}

static bool set_servers(struct ub_ctx *ctx, const struct mx_params *params, struct error *error)
{
	for (size_t i = 0; i < params->forwarder_count; i++) {
		int code = ub_ctx_set_fwd(ctx, params->forwarders[i]);

		if (code != 0)
			return fail(error, code, "forwarder", params->forwarders[i]);
	}
	/* Somebody else's delegation must not lead us to our own ports; what the operator names
	 * may. */
	if ((params->forwarder_count > 0 || params->stub_zone_count > 0) &&
	    !set(ctx, "do-not-query-localhost:", "no", error))
		return false;
	if (params->ipv6 || has_v6(params->forwarders, params->forwarder_count) ||
	    has_v6(params->stub_zones, params->stub_zone_count))
		return true;
	return set(ctx, "do-ip6:", "no", error);
}

/* Owner name of an anchor's line, without its final dot. */
static struct slice owner_of(const char *anchor)
{
	struct slice rest = slice_trim(slice_of(anchor));
	size_t len = 0;

	while (len < rest.len && rest.ptr[len] != ' ' && rest.ptr[len] != '\t')
		len++;
	while (len > 0 && rest.ptr[len - 1] == '.')
		len--;
	return slice_first(rest, len);
}

static bool has_anchor(const struct mx_params *params, struct slice zone)
{
	if (zone.len > 0 && zone.ptr[zone.len - 1] == '.')
		zone.len--;
	for (size_t i = 0; i < params->trust_anchor_count; i++) {
		struct slice owner = owner_of(params->trust_anchors[i]);
		struct slice tail;

		if (owner.len == 0 || owner.len > zone.len)
			continue;
		tail = slice_from(zone, zone.len - owner.len);
		if (slice_equal_nocase(tail, owner) &&
		    (tail.len == zone.len || tail.ptr[-1] == '.'))
			return true;
	}
	return false;
}

static bool set_stub(struct ub_ctx *ctx, const struct mx_params *params, const char *stub,
		     struct error *error)
{
	struct slice server = slice_of(stub);
	struct slice zone = slice_split(&server, ' ');
	char zone_text[256];
	int code;

	if (!server.ptr || !slice_copy(zone_text, sizeof(zone_text), zone))
		return error_set(error, "dns: stub zone \"%s\" names no server", stub);
	code = ub_ctx_set_stub(ctx, zone_text, server.ptr, 0);
	if (code != 0)
		return fail(error, code, "stub zone", stub);
	if (has_anchor(params, zone) || slice_equal(zone, SLICE(".")))
		return true;
	return set(ctx, "domain-insecure:", zone_text, error);
}

static bool set_anchors(struct ub_ctx *ctx, const struct mx_params *params, struct error *error)
{
	const char *file = params->trust_anchor_file;
	int code;

	if (!file && access(ROOT_KEY_FILE, R_OK) == 0)
		file = ROOT_KEY_FILE;
	if (file && file[0] != '\0') {
		if (access(file, R_OK) != 0)
			return error_set_errno(error, errno,
					       "dns: trust anchor file %s cannot be read", file);
		code = ub_ctx_add_ta_file(ctx, file);
		if (code != 0)
			return fail(error, code, "trust anchor file", file);
	}
	for (size_t i = 0; i < params->trust_anchor_count; i++) {
		code = ub_ctx_add_ta(ctx, params->trust_anchors[i]);
		if (code != 0)
			return fail(error, code, "trust anchor", params->trust_anchors[i]);
	}
	return true;
}

static bool set_all(struct ub_ctx *ctx, const struct mx_params *params, struct error *error)
{
	int code;

	/* libunbound would write to stderr, which is not where this program's log goes. */
	ub_ctx_debugout(ctx, NULL);
	for (size_t i = 0; i < array_count(settings); i++) {
		if (!set(ctx, settings[i].name, settings[i].value, error))
			return false;
	}
	if (params->root_hints_file) {
		if (access(params->root_hints_file, R_OK) != 0)
			return error_set_errno(error, errno, "dns: root hints %s cannot be read",
					       params->root_hints_file);
		if (!set(ctx, "root-hints:", params->root_hints_file, error))
			return false;
	}
	if (!set_servers(ctx, params, error) || !set_anchors(ctx, params, error))
		return false;
	for (size_t i = 0; i < params->stub_zone_count; i++) {
		if (!set_stub(ctx, params, params->stub_zones[i], error))
			return false;
	}
	code = ub_ctx_async(ctx, 1);
	if (code != 0)
		return fail(error, code, "thread", "");
	/*
	 * The first call that needs the zones makes libunbound read all it was told, so that a
	 * wrong anchor is refused here and not with the first lookup.
	 */
	code = ub_ctx_zone_add(ctx, "localhost.", "static");
	return code == 0 || fail(error, code, "trust anchors, root hints or stub zones", "");
}

/* ---- its thread ---- */

static void on_life(void *data, int err, struct ub_result *result)
{
	bool *alive = data;

	(void)err;
	*alive = true;
	ub_resolve_free(result);
}

int mx_context_ask_life(struct ub_ctx *ctx, bool *alive)
{
	*alive = false;
	return ub_resolve_async(ctx, "localhost.", RR_TYPE_A, RR_CLASS_IN, alive, on_life, NULL);
}

/* Until the answer has come, or the time is over. */
static bool wait_for_life(struct ub_ctx *ctx, const bool *alive)
{
	const u64 until = clock_mono_ns() + MX_LIFE_PATIENCE_NS;
	struct pollfd ready = { .fd = ub_fd(ctx), .events = POLLIN };
	u64 now;

	while (!*alive && (now = clock_mono_ns()) < until) {
		int count = poll(&ready, 1, (int)((until - now) / NS_PER_MS) + 1);

		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0)
			(void)ub_process(ctx);
	}
	return *alive;
}

static struct ub_ctx *volatile left_alone; /* for leak checkers: still known */

/*
 * libunbound makes its thread with the first question, and says nothing when there is none to be
 * had: no question is ever answered then, and ub_ctx_delete crashes, since it signals a thread that
 * is not there. So the first question is one that the thread answers by itself, and a context that
 * does not answer it is left as it is.
 */
static bool start_thread(struct ub_ctx **ctx, struct error *error)
{
	bool alive;
	int code = mx_context_ask_life(*ctx, &alive);

	if (code != 0)
		return fail(error, code, "thread", "");
	if (wait_for_life(*ctx, &alive))
		return true;
	left_alone = *ctx;
	*ctx = NULL;
	return error_set(error, "dns: libunbound's thread does not start");
}

struct ub_ctx *mx_context_open(const struct mx_params *params, struct error *error)
{
	struct ub_ctx *ctx = ub_ctx_create();

	if (!ctx) {
		error_set(error, "dns: libunbound does not start");
		return NULL;
	}
	errno = 0;
	if (set_all(ctx, params, error) && start_thread(&ctx, error))
		return ctx;
	if (ctx)
		mx_context_close(ctx, FAILED_PATIENCE_NS);
	return NULL;
}

/* ---- the end ---- */

/* Between who waits for the end and the thread that brings it; the last of them frees it. */
struct ending {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t thread;
	struct ub_ctx *ctx;
	bool is_over;
	bool is_left;
};

static void free_ending(struct ending *ending)
{
	pthread_cond_destroy(&ending->changed);
	pthread_mutex_destroy(&ending->mutex);
	free(ending);
}

static void *run_ending(void *argument)
{
	struct ending *ending = argument;
	bool is_left;

	ub_ctx_delete(ending->ctx);
	pthread_mutex_lock(&ending->mutex);
	ending->is_over = true;
	is_left = ending->is_left;
	pthread_cond_signal(&ending->changed);
	pthread_mutex_unlock(&ending->mutex);
	if (is_left)
		free_ending(ending);
	return NULL;
}

static struct ending *start_ending(struct ub_ctx *ctx)
{
	struct ending *ending = calloc(1, sizeof(*ending));
	pthread_condattr_t by_clock;
	int code;

	if (!ending)
		return NULL;
	ending->ctx = ctx;
	pthread_mutex_init(&ending->mutex, NULL);
	pthread_condattr_init(&by_clock);
	pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
	pthread_cond_init(&ending->changed, &by_clock);
	pthread_condattr_destroy(&by_clock);
	code = thread_start(&ending->thread, run_ending, ending);
	if (code == 0)
		return ending;
	free_ending(ending);
	return NULL;
}

void mx_context_close(struct ub_ctx *ctx, u64 patience_ns)
{
	u64 until = clock_mono_ns() + patience_ns;
	struct timespec at = { .tv_sec = (time_t)(until / NS_PER_S),
			       .tv_nsec = (long)(until % NS_PER_S) };
	struct ending *ending = start_ending(ctx);
	pthread_t thread;
	int code = 0;

	if (!ending) {
		ub_ctx_delete(ctx);
		return;
	}
	thread = ending->thread;
	pthread_mutex_lock(&ending->mutex);
	while (!ending->is_over && code == 0)
		code = pthread_cond_timedwait(&ending->changed, &ending->mutex, &at);
	ending->is_left = !ending->is_over;
	code = ending->is_left;
	pthread_mutex_unlock(&ending->mutex);
	if (code) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	free_ending(ending);
}
