#include "dns/mx.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "dns/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unbound.h>
#include <unistd.h>

#define TIMEOUT_DEFAULT_MS 30000
#define CLOSE_PATIENCE_NS (5 * NS_PER_S)

/* ---- open and close ------------------------------------------------------------------------- */

static void *copy_array(const void *from, size_t bytes)
{
	void *to = malloc(bytes > 0 ? bytes : 1);

	if (to && bytes > 0)
		memcpy(to, from, bytes);
	return to;
}

static bool copy_params(struct mx_resolver *r, const struct mx_params *params)
{
	struct net_range *allowed =
		copy_array(params->allowed, params->allowed_count * sizeof(*allowed));
	struct net_address *own = copy_array(params->own, params->own_count * sizeof(*own));

	r->params = *params;
	r->params.allowed = allowed;
	r->params.own = own;
	return allowed && own;
}

static bool watch(struct mx_resolver *r, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return fd >= 0 && epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_descriptors(struct mx_resolver *r)
{
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->epoll_fd >= 0 && watch(r, r->timer_fd) && watch(r, r->wake_fd) &&
	       watch(r, ub_fd(r->ctx));
}

struct mx_resolver *mx_resolver_open(const struct mx_params *params, struct error *error)
{
	struct mx_resolver *r = calloc(1, sizeof(*r));
	u64 seed = params->seed;

	if (!r) {
		error_set(error, "dns: out of memory");
		return NULL;
	}
	r->epoll_fd = r->timer_fd = r->wake_fd = -1;
	list_init(&r->running);
	list_init(&r->steps);
	list_init(&r->ready);
	if (seed == 0)
		random_bytes(&seed, sizeof(seed));
	random_seed(&r->random, seed);
	r->timeout_ns = (params->timeout_ms ? params->timeout_ms : TIMEOUT_DEFAULT_MS) * NS_PER_MS;
	r->ctx = mx_context_open(params, error);
	if (!r->ctx)
		goto fail;
	if (!copy_params(r, params) || !mx_cache_init(&r->cache, random_u64(&r->random),
						      MX_CACHE_NAMES_MAX, MX_CACHE_BYTES_MAX)) {
		error_set(error, "dns: out of memory");
		goto fail;
	}
	if (!open_descriptors(r)) {
		error_set_errno(error, errno, "dns: descriptors of the resolver");
		goto fail;
	}
	return r;
fail:
	mx_resolver_close(r);
	return NULL;
}

static void free_waiters(struct list *waiters)
{
	struct list *node;

	while ((node = list_pop_front(waiters)) != NULL) {
		struct waiter *waiter = list_entry(node, struct waiter, list);

		mx_entry_drop(waiter->answer);
		free(waiter);
	}
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void mx_resolver_close(struct mx_resolver *r)
{
	struct list *node;

	if (!r)
		return;
	/* Callbacks come from ub_process alone: the queries may go, even if its thread stays. */
	if (r->ctx)
		mx_context_close(r->ctx, CLOSE_PATIENCE_NS);
	while ((node = list_pop_front(&r->running)) != NULL) {
		struct lookup *lookup = list_entry(node, struct lookup, running);

		free_waiters(&lookup->waiters);
		free(lookup);
	}
	free_waiters(&r->ready);
	if (r->cache.buckets)
		mx_cache_done(&r->cache);
	free((void *)r->params.allowed);
	free((void *)r->params.own);
	close_if_open(r->wake_fd);
	close_if_open(r->timer_fd);
	close_if_open(r->epoll_fd);
	free(r);
}

int mx_resolver_fd(const struct mx_resolver *r)
{
	return r->epoll_fd;
}

static struct lookup *oldest(const struct mx_resolver *r)
{
	return list_is_empty(&r->running) ? NULL
					  : list_entry(r->running.next, struct lookup, running);
}

/*
 * What comes first: the end of the oldest lookup (every lookup has the same time, so they end in
 * this order), or of the wait for a sign of life. 0: nothing.
 */
static u64 next_deadline(const struct mx_resolver *r)
{
	const struct lookup *lookup = oldest(r);

	if (!lookup || (r->alive_by_ns != 0 && r->alive_by_ns < lookup->deadline_ns))
		return r->alive_by_ns;
	return lookup->deadline_ns;
}

static void arm_timer(struct mx_resolver *r)
{
	const u64 at = next_deadline(r);
	const struct itimerspec spec = {
		.it_value = { .tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S) },
	};

	if (at == r->armed_ns)
		return;
	if (timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
		CRASH("timer of the resolver: %s", strerror(errno));
	r->armed_ns = at;
}

static void drain(int fd)
{
	u64 count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

/*
 * libunbound's thread ends for good, or can say nothing more, when it lacks memory or descriptors
 * at the wrong moment. A new context costs its caches; the old one is left to end as it can.
 */
static void renew(struct mx_resolver *r, u64 now_ns)
{
	struct error error = { "" };
	struct ub_ctx *fresh = mx_context_open(&r->params, &error);
	struct lookup *lookup;

	if (fresh && !watch(r, ub_fd(fresh))) {
		error_set_errno(&error, errno, "dns: descriptors of the resolver");
		mx_context_close(fresh, 0);
		fresh = NULL;
	}
	if (!fresh) {
		log_warn("dns", "libunbound is silent and cannot be opened anew", "reason=%s",
			 error.text);
		return;
	}
	while ((lookup = oldest(r)) != NULL)
		lookup_give_up(lookup, now_ns);
	epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, ub_fd(r->ctx), NULL);
	mx_context_close(r->ctx, 0);
	r->ctx = fresh;
	r->counters.renewals++;
	log_warn("dns", "libunbound was silent and is opened anew", "");
}

/* A lookup that timed out may mean silent servers, or a libunbound that will never answer. */
static void check_life(struct mx_resolver *r, bool timed_out, u64 now_ns)
{
	if (r->is_alive)
		r->alive_by_ns = 0;
	if (r->alive_by_ns != 0 && r->alive_by_ns <= now_ns) {
		renew(r, now_ns);
		/* A try that failed is made again when the next lookup times out. */
		r->alive_by_ns = 0;
	} else if (r->alive_by_ns == 0 && timed_out) {
		r->alive_by_ns = now_ns + MX_LIFE_PATIENCE_NS;
		/* Of what cannot be asked there comes no answer either. */
		(void)!mx_context_ask_life(r->ctx, &r->is_alive);
	}
}

void mx_resolver_process(struct mx_resolver *r)
{
	struct lookup *lookup;
	bool timed_out = false;
	u64 now_ns;

	drain(r->wake_fd);
	drain(r->timer_fd);
	/* Its failure concerns its own pipe; the lookups that hang on it end by their deadlines. */
	(void)ub_process(r->ctx);
	now_ns = clock_mono_ns();
	lookup_run_steps(r, now_ns);
	while ((lookup = oldest(r)) != NULL && lookup->deadline_ns <= now_ns) {
		lookup_give_up(lookup, now_ns);
		timed_out = true;
	}
	check_life(r, timed_out, now_ns);
	arm_timer(r);
}

/* ---- asking and taking ---------------------------------------------------------------------- */

static void answer_now(struct mx_resolver *r, struct waiter *waiter, struct mx_entry *entry)
{
	const u64 one = 1;

	waiter->answer = entry;
	list_push_back(&r->ready, &waiter->list);
	/* Fails only when the counter is full, and then the descriptor is readable anyway. */
	if (write(r->wake_fd, &one, sizeof(one)) < 0)
		ASSERT(errno == EAGAIN || errno == EINTR);
}

static struct mx_entry *not_a_domain(u64 now_ns)
{
	struct mx_answer answer = { .status = MX_NO_DOMAIN, .ttl_s = MX_TTL_MAX_S };

	snprintf(answer.text, sizeof(answer.text), "MX: not a domain name");
	return mx_entry_pack("", &answer, now_ns + answer.ttl_s * NS_PER_S);
}

static bool enlist(struct mx_resolver *r, struct waiter *waiter, struct slice domain)
{
	u64 now_ns = clock_mono_ns();
	struct mx_entry *entry;
	struct lookup *lookup;
	char name[256];

	if (!mx_domain_normalise(name, domain)) {
		entry = not_a_domain(now_ns);
		if (entry)
			answer_now(r, waiter, entry);
		return entry != NULL;
	}
	entry = mx_cache_find(&r->cache, name, now_ns);
	if (entry) {
		r->counters.cached++;
		answer_now(r, waiter, mx_entry_hold(entry));
		return true;
	}
	lookup = lookup_find(r, name);
	if (lookup)
		r->counters.shared++;
	else
		lookup = lookup_start(r, name, false, now_ns);
	arm_timer(r);
	if (lookup)
		list_push_back(&lookup->waiters, &waiter->list);
	return lookup != NULL;
}

static bool enlist_addresses(struct mx_resolver *r, struct waiter *waiter, struct slice host)
{
	struct lookup *lookup = NULL;
	char name[256];

	if (mx_domain_normalise(name, host))
		lookup = lookup_start(r, name, true, clock_mono_ns());
	arm_timer(r);
	if (lookup)
		list_push_back(&lookup->waiters, &waiter->list);
	return lookup != NULL;
}

static bool ask(struct mx_resolver *r, struct slice name, u64 cookie,
		bool (*enlist_by)(struct mx_resolver *r, struct waiter *waiter, struct slice name))
{
	struct waiter *waiter;

	if (r->waiter_count == MX_WAITERS_MAX)
		return false;
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return false;
	waiter->cookie = cookie;
	list_init(&waiter->list);
	if (!enlist_by(r, waiter, name)) {
		free(waiter);
		return false;
	}
	r->waiter_count++;
	r->counters.lookups++;
	return true;
}

bool mx_lookup(struct mx_resolver *r, struct slice domain, u64 cookie)
{
	return ask(r, domain, cookie, enlist);
}

bool mx_lookup_addresses(struct mx_resolver *r, struct slice host, u64 cookie)
{
	return ask(r, host, cookie, enlist_addresses);
}

bool mx_next_answer(struct mx_resolver *r, u64 *cookie, struct mx_answer *answer)
{
	struct list *node = list_pop_front(&r->ready);
	struct waiter *waiter;

	if (!node)
		return false;
	waiter = list_entry(node, struct waiter, list);
	*cookie = waiter->cookie;
	if (waiter->answer) {
		mx_entry_unpack(waiter->answer, answer, clock_mono_ns());
		mx_shuffle(answer, &r->random);
	} else {
		*answer = (struct mx_answer){ .status = MX_TEMPORARY, .ttl_s = MX_TTL_MIN_S };
		snprintf(answer->text, sizeof(answer->text), "MX: out of memory");
	}
	mx_entry_drop(waiter->answer);
	free(waiter);
	r->waiter_count--;
	return true;
}

void mx_resolver_count(const struct mx_resolver *r, struct mx_counters *counters)
{
	*counters = r->counters;
	counters->names = r->cache.count;
	counters->bytes = r->cache.bytes;
}
