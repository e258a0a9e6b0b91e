/*
 * Sites: sets of exchangers that one or more domains share, or configured relays. What limits count
 * for. A site is known while a domain or a route points to it.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site *find_site(struct planner *planner, const char *name)
{
	return map_find(&planner->sites, slice_of(name));
}

static struct site *make_site(struct planner *planner, const char *name, struct slice first_host)
{
	struct site *site = calloc(1, sizeof(*site));

	if (!site)
		return NULL;
	slice_copy(site->name, sizeof(site->name), slice_of(name));
	site->rule = config_site_of(planner->config, first_host);
	site->suspended = map_find(&planner->suspensions, slice_of(name)) != NULL;
	site->version = 1;
	list_init(&site->routes);
	if (planner_site_limit(planner, site) &&
	    map_add(&planner->sites, slice_of(site->name), site))
		return site;
	free(site->own_limits);
	free(site);
	return NULL;
}

/* A host as it counts for identity: its place among the preferences, and its name. */
struct member {
	u32 rank; /* 0: of the best preference, 1: of the next one, ... */
	const char *name;
};

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Hosts come by preference; equal ones, and their addresses, in another order each time. */
static void list_members(const struct mx_answer *answer, struct member members[MX_HOSTS_MAX])
{
	u32 rank = 0;

	for (u32 i = 0; i < answer->host_count; i++) {
		if (i > 0 && answer->hosts[i].preference != answer->hosts[i - 1].preference)
			rank++;
		members[i] = (struct member){ rank, answer->hosts[i].name };
	}
	qsort(members, answer->host_count, sizeof(members[0]), compare_members);
}

/*
 * The name of a set of exchangers: its first host (best preference, then by name) and, when there
 * are more, how many and a hash of all. The hash is what tells sets apart, and sets are published
 * by strangers: it must be one that nobody can aim at somebody else's.
 */
static void name_site(char out[256], const struct member *members, u32 count)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u64 id = 0;

	if (count == 1) {
		snprintf(out, 256, "%s", members[0].name);
		return;
	}
	sha256_init(&hash);
	for (u32 i = 0; i < count; i++) {
		const u8 rank = (u8)members[i].rank;

		sha256_add(&hash, &rank, 1);
		sha256_add(&hash, members[i].name, strlen(members[i].name) + 1);
	}
	sha256_finish(&hash, digest);
	memcpy(&id, digest, sizeof(id));
	snprintf(out, 256, "%.220s+%u.%016llx", members[0].name, count - 1,
		 (unsigned long long)id);
}

static bool has_address(const struct mx_answer *answer, const struct mx_host *host,
			const struct net_address *address)
{
	for (u32 i = 0; i < host->address_count; i++) {
		if (net_address_equal(&answer->addresses[host->address_first + i], address))
			return true;
	}
	return false;
}

static const struct mx_host *host_of(const struct mx_answer *answer, const char *name)
{
	for (u32 i = 0; i < answer->host_count; i++) {
		if (strcmp(answer->hosts[i].name, name) == 0)
			return &answer->hosts[i];
	}
	return NULL;
}

/* The same addresses at every host of two answers that name the same hosts. */
static bool same_addresses(const struct mx_answer *a, const struct mx_answer *b)
{
	for (u32 i = 0; i < b->host_count; i++) {
		const struct mx_host *theirs = &b->hosts[i];
		const struct mx_host *mine = host_of(a, theirs->name);

		if (!mine || mine->address_count != theirs->address_count)
			return false;
		for (u32 k = 0; k < theirs->address_count; k++) {
			if (!has_address(a, mine, &b->addresses[theirs->address_first + k]))
				return false;
		}
	}
	return true;
}

/*
 * Takes the answer's addresses, when they differ from those that are known. What DANE demands is
 * the domain's, not the site's: see demand.h.
 */
static bool update(struct site *site, const struct mx_answer *answer)
{
	struct mx_answer plain;
	struct mx_entry *packed;
	struct mx_answer known;

	if (site->answer) {
		mx_entry_unpack(site->answer, &known, 0);
		if (same_addresses(&known, answer))
			return true;
	}
	plain = *answer;
	plain.tlsa_used = 0;
	for (u32 i = 0; i < plain.host_count; i++) {
		plain.hosts[i].dane = DANE_ABSENT;
		plain.hosts[i].tlsa_first = plain.hosts[i].tlsa_len = 0;
		plain.hosts[i].tlsa_base[0] = '\0';
	}
	packed = mx_entry_pack("", &plain, 0);
	if (!packed)
		return false;
	mx_entry_drop(site->answer);
	site->answer = packed;
	site->version++;
	return true;
}

struct site *planner_site_of_answer(struct planner *planner, const struct mx_answer *answer)
{
	struct member members[MX_HOSTS_MAX];
	char name[256];
	struct site *site;

	list_members(answer, members);
	name_site(name, members, answer->host_count);
	site = find_site(planner, name);
	if (!site)
		site = make_site(planner, name, slice_of(members[0].name));
	if (!site || !update(site, answer))
		CRASH("out of memory for a site");
	return site;
}

/* In its place among the hosts of the answer; false: there is no room for it. */
static bool insert_host(struct mx_answer *answer, const struct mx_answer *from,
			const struct mx_host *host)
{
	u32 at = answer->host_count;

	if (answer->host_count == MX_HOSTS_MAX ||
	    answer->address_count + host->address_count > MX_ADDRESSES_MAX)
		return false;
	while (at > 0 && answer->hosts[at - 1].preference > host->preference) {
		answer->hosts[at] = answer->hosts[at - 1];
		at--;
	}
	answer->hosts[at] = *host;
	answer->hosts[at].address_first = (u8)answer->address_count;
	/* Its TLSA records are not known: where there could be some it is not used. */
	answer->hosts[at].dane = answer->secure ? DANE_FAILED : DANE_ABSENT;
	memcpy(&answer->addresses[answer->address_count], &from->addresses[host->address_first],
	       host->address_count * sizeof(answer->addresses[0]));
	answer->host_count++;
	answer->address_count += host->address_count;
	return true;
}

bool planner_site_fill(const struct site *site, struct mx_answer *answer)
{
	struct mx_answer known;
	bool filled = false;

	if (!site->answer)
		return false;
	mx_entry_unpack(site->answer, &known, 0);
	for (u32 i = 0; i < answer->host_count; i++) {
		if (!host_of(&known, answer->hosts[i].name))
			return false;
	}
	for (u32 i = 0; i < known.host_count; i++) {
		if (!host_of(answer, known.hosts[i].name))
			filled |= insert_host(answer, &known, &known.hosts[i]);
	}
	return filled;
}

struct site *planner_site_of_relay(struct planner *planner, const char *relay)
{
	struct site *site = find_site(planner, relay);

	if (site)
		return site;
	site = make_site(planner, relay, slice_of(relay));
	if (!site)
		CRASH("out of memory for a site");
	if (!net_address_parse(&site->relay, slice_of(relay), true))
		CRASH("relay %s passed the configuration's check", relay);
	return site;
}

void planner_site_hold(struct site *site)
{
	site->users++;
}

void planner_site_drop(struct planner *planner, struct site *site)
{
	ASSERT(site->users > 0);
	if (--site->users > 0)
		return;
	map_remove(&planner->sites, slice_of(site->name));
	mx_entry_drop(site->answer);
	free(site->own_limits);
	if (site->total)
		list_unlink(&site->total->counted.node);
	free(site->total);
	free(site);
}

/* ---- suspension by the operator ---- */

static void check_routes(struct planner *planner, const struct site *site)
{
	list_for_each(node, &site->routes)
		planner_route_check(planner,
				    list_entry(node, struct planner_route, of_site));
	planner->must_work = true;
}

#define SUSPENDED "suspended/" /* settings of this prefix name the sites */
#define NAME_MAX_LEN 250

/* A site that the operator suspended, whether anything is known of it or not. False: no memory. */
static bool add_suspension(struct planner *planner, struct slice name)
{
	char *copy = strndup(name.ptr, name.len);

	if (copy && map_add(&planner->suspensions, (struct slice){ copy, name.len }, copy))
		return true;
	free(copy);
	return false;
}

static bool take_suspension(struct planner *planner, struct slice name, struct slice value,
			    struct error *error)
{
	(void)value;
	return add_suspension(planner, name) ||
	       error_set(error, "out of memory for suspended sites");
}

/* All of them are read at the start: what is sent must not hang on a read that may fail. */
bool planner_sites_open(struct planner *planner, struct error *error)
{
	return planner_read_settings(planner, SLICE(SUSPENDED), take_suspension, error);
}

void planner_sites_free(struct planner *planner)
{
	void *one;

	for (u32 at = 0; (one = map_next(&planner->suspensions, &at));)
		free(one);
	map_done(&planner->suspensions);
	map_done(&planner->sites);
}

static bool store_suspended(struct planner *planner, struct slice name, bool suspended,
			    struct error *error)
{
	char key[300];
	enum store_result result;

	if (!planner_begin(planner, error))
		return false;
	snprintf(key, sizeof(key), SUSPENDED "%.*s", SLICE_FMT(name));
	result = suspended ? queue_setting_put(planner->queue, slice_of(key), SLICE("1")) :
			     queue_setting_delete(planner->queue, slice_of(key));
	if (result == STORE_NOT_FOUND) {
		queue_abort(planner->queue);
		return error_set(error, "site %.*s is not suspended", SLICE_FMT(name));
	}
	return planner_commit(planner, error);
}

static bool set_suspended(struct planner *planner, struct slice name, bool suspended,
			  struct error *error)
{
	struct site *site;
	bool is_new;

	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return error_set(error, "a site's name has 1 to 250 characters");
	is_new = suspended && !map_find(&planner->suspensions, name);
	if (is_new && !add_suspension(planner, name))
		return error_set(error, "out of memory for a suspended site");
	if (!store_suspended(planner, name, suspended, error)) {
		if (is_new)
			free(map_remove(&planner->suspensions, name));
		return false;
	}
	if (!suspended)
		free(map_remove(&planner->suspensions, name));
	site = map_find(&planner->sites, name);
	if (site) {
		site->suspended = suspended;
		check_routes(planner, site);
	}
	return true;
}

bool planner_site_suspend(struct planner *planner, struct slice site, struct error *error)
{
	return set_suspended(planner, site, true, error);
}

bool planner_site_resume(struct planner *planner, struct slice site, struct error *error)
{
	return set_suspended(planner, site, false, error);
}

