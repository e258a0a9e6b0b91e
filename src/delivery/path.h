/*
 * A path: where the mail of one route goes and how. The planner makes it from the MX answer (or the
 * configured relay), the site's limits and the customer's source addresses; it never changes after
 * that. Workers keep the one that came with the last lease. Counted references, from any thread.
 */
#ifndef DELIVERY_PATH_H
#define DELIVERY_PATH_H

#include "base/net_address.h"
#include "base/types.h"
#include "delivery/demand.h"
#include "metrics/metrics.h"
#include "smtp/client.h"

#include <stdatomic.h>

#define PATH_TARGETS_MAX 32
#define PATH_HOSTS_MAX 16
#define PATH_WORKERS_MAX 64
#define PATH_TEXT_MAX 8192 /* bytes of all names of a path; longer ones are cut */

struct path_target {
	struct net_address address;
	u16 preference; /* lower first */
	u8 host;        /* into path.hosts */
};

/* Names are places in `text`: path_text gives them. A name that was not set is empty. */
struct path {
	_Atomic u32 references;
	_Atomic u32 recalls; /* path_recall: the one thing that does change */
	u32 site_metrics; /* slot of the site in the metrics */
	u16 key;          /* of the planner's route: what sessions and their limits are shared by */
	u16 site;
	u16 ehlo4; /* names that go with the source addresses */
	u16 ehlo6;
	bool has_source4;
	bool has_source6;
	struct net_address source4;
	struct net_address source6;
	bool raw_dots;               /* recipients with odd dots go without quotes */
	u32 depth;                   /* transactions in flight per session */
	u32 messages_per_session;
	u32 recipients_per_message;
	u64 kernel_from; /* the kernel encrypts from the first message of so many bytes on */
	u64 idle_ns;
	u64 connect_timeout_ns;
	struct smtp_timeouts timeouts;
	u32 sessions[PATH_WORKERS_MAX]; /* each worker's share of the site's sessions */
	u32 host_count;
	u16 hosts[PATH_HOSTS_MAX];
	u8 host_tls[PATH_HOSTS_MAX]; /* enum metrics_policy: how they are talked to */
	/*
	 * Differs between hosts that have to prove different things: sessions are resumed within
	 * one. 0: nothing is to be proven.
	 */
	u64 host_proof[PATH_HOSTS_MAX];
	struct demand *demand; /* one reference; NULL: nothing is demanded */
	u32 target_count;
	struct path_target targets[PATH_TARGETS_MAX]; /* of one host side by side */
	u32 text_len;
	char text[];
};

struct path *path_make(void); /* zeroed, one reference, room for PATH_TEXT_MAX; NULL: no memory */
u16 path_add_text(struct path *path, const char *text);
/* Done: gives back the room that its names do not need. The path may move. */
struct path *path_fit(struct path *path);

static inline const char *path_text(const struct path *path, u16 at)
{
	return path->text + at;
}

/* Nothing that a session depends on differs. */
bool path_same(const struct path *a, const struct path *b);
struct path *path_take(struct path *path);
void path_give(struct path *path); /* NULL is fine */

/*
 * The receiver wants less: leases that were lent by this path so far, and that no session has
 * begun, are to come back unsent. The planner calls it; leases carry the number of recalls before
 * them.
 */
static inline void path_recall(struct path *path)
{
	atomic_fetch_add_explicit(&path->recalls, 1, memory_order_relaxed);
}

/* What a worker sees at least is what came before the last lease that it was given. */
static inline u32 path_recalls(const struct path *path)
{
	return atomic_load_explicit(&path->recalls, memory_order_relaxed);
}

#endif
