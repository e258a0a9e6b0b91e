#include "dns/mx.h"

#include "base/text.h"
#include "dns/mx_parts.h"

#include <stdio.h>
#include <string.h>

#define SMTP_PORT 25
#define HTTPS_PORT 443
/* While a better host's addresses could not be learned, the answer is looked at again soon. */
#define TTL_INCOMPLETE_S 300

struct pick {
	size_t record;
	const char *name;
	u16 preference;
	size_t count;
	struct net_address addresses[MX_HOST_ADDRESSES_MAX * 2];
};

struct picks {
	size_t count;
	struct pick all[MX_HOSTS_MAX];
	bool forbidden; /* something was there that must not be dialled */
	bool failed;
	bool bogus;
};

static bool is_forbidden(const struct mx_params *params, const struct net_address *address)
{
	for (size_t i = 0; i < params->own_count; i++) {
		if (net_address_same_host(&params->own[i], address))
			return true;
	}
	if (!net_address_is_special(address))
		return false;
	for (size_t i = 0; i < params->allowed_count; i++) {
		if (net_range_has(&params->allowed[i], address))
			return false;
	}
	return true;
}

static bool is_known(const struct pick *pick, const struct net_address *address)
{
	for (size_t i = 0; i < pick->count; i++) {
		if (net_address_same_host(&pick->addresses[i], address))
			return true;
	}
	return false;
}

static void pick_addresses(struct picks *picks, struct pick *pick, const struct mx_found *found,
			   const struct mx_params *params)
{
	size_t count = min_size(found->host_address_count[pick->record], MX_HOST_ADDRESSES_MAX * 2);

	for (size_t i = 0; i < count; i++) {
		struct net_address address = found->host_addresses[pick->record][i];

		if (!(address.family == 4 ? params->ipv4 : params->ipv6))
			continue;
		if (is_forbidden(params, &address)) {
			picks->forbidden = true;
			continue;
		}
		if (is_known(pick, &address))
			continue;
		address.port = SMTP_PORT;
		pick->addresses[pick->count++] = address;
	}
}

static bool is_picked(const struct picks *picks, const char *name)
{
	for (size_t i = 0; i < picks->count; i++) {
		if (strcmp(picks->all[i].name, name) == 0)
			return true;
	}
	return false;
}

static void pick_host(struct picks *picks, const struct mx_found *found,
		      const struct mx_params *params, size_t record, const char *name,
		      u16 preference)
{
	enum mx_name kind = mx_name_kind(name);
	struct pick *pick = &picks->all[picks->count];

	if (kind == MX_NAME_LOCAL)
		picks->forbidden = true;
	if (kind != MX_NAME_HOST || picks->count == MX_HOSTS_MAX || is_picked(picks, name))
		return;
	picks->failed |= found->host_failed[record];
	picks->bogus |= found->host_bogus[record];
	*pick = (struct pick){ .record = record, .name = name, .preference = preference };
	pick_addresses(picks, pick, found, params);
	if (pick->count > 0)
		picks->count++;
}

/* Indices of the records by preference, equal ones as they came. */
static void sort_records(const struct mx_found *found, size_t count, size_t order[MX_RECORDS_MAX])
{
	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		while (at > 0 &&
		       found->records[order[at - 1]].preference > found->records[i].preference) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
}

/* One address for each host, then a second one, and so on until there is no more room. */
static void share_out(const struct picks *picks, size_t shares[MX_HOSTS_MAX])
{
	size_t left = MX_ADDRESSES_MAX;
	bool more = true;

	memset(shares, 0, MX_HOSTS_MAX * sizeof(shares[0]));
	while (more) {
		more = false;
		for (size_t i = 0; i < picks->count && left > 0; i++) {
			if (shares[i] == picks->all[i].count)
				continue;
			shares[i]++;
			left--;
			more = true;
		}
	}
}

static void write_tlsa(const struct mx_found *found, size_t record, struct mx_answer *answer,
		       struct mx_host *host)
{
	const size_t first = found->host_tlsa_first[record];
	const u16 len = found->host_tlsa_len[record];

	host->dane = found->host_dane[record];
	if (host->dane == DANE_USABLE &&
	    (first + len > MX_TLSA_BYTES_MAX || answer->tlsa_used + len > MX_TLSA_BYTES_MAX))
		host->dane = DANE_FAILED;
	answer->incomplete |= host->dane == DANE_FAILED;
	if (host->dane != DANE_USABLE)
		return;
	memcpy(host->tlsa_base, found->host_tlsa_base[record], sizeof(host->tlsa_base));
	host->tlsa_first = answer->tlsa_used;
	host->tlsa_len = len;
	memcpy(answer->tlsa + answer->tlsa_used, found->tlsa + first, len);
	answer->tlsa_used += len;
}

static void write_hosts(const struct mx_found *found, const struct picks *picks,
			struct mx_answer *answer)
{
	size_t shares[MX_HOSTS_MAX];

	share_out(picks, shares);
	for (size_t i = 0; i < picks->count; i++) {
		const struct pick *pick = &picks->all[i];
		struct mx_host *host = &answer->hosts[answer->host_count++];

		slice_copy(host->name, sizeof(host->name), slice_of(pick->name));
		host->preference = pick->preference;
		host->secure = found->secure && found->host_secure[pick->record];
		if (host->secure)
			write_tlsa(found, pick->record, answer, host);
		host->address_first = (u8)answer->address_count;
		host->address_count = (u8)shares[i];
		memcpy(answer->addresses + answer->address_count, pick->addresses,
		       shares[i] * sizeof(pick->addresses[0]));
		answer->address_count += (u32)shares[i];
	}
}

static const char *const sentences[] = {
	[MX_OK] = "found",
	[MX_NULL] = "the domain takes no mail (null MX)",
	[MX_NO_DOMAIN] = "no such domain",
	[MX_NO_HOST] = "no mail host with an address",
	[MX_ONLY_FORBIDDEN] = "leads only to addresses that must not be mailed to",
	[MX_TEMPORARY] = "server failure",
	[MX_BOGUS] = "DNSSEC validation failed",
};

static void set_status(struct mx_answer *answer, struct slice domain, enum mx_status status)
{
	answer->status = status;
	if (status == MX_TEMPORARY || status == MX_BOGUS)
		answer->ttl_s = MX_TTL_MIN_S;
	snprintf(answer->text, sizeof(answer->text), "MX of %.*s: %s",
		 (int)min_size(domain.len, 64), domain.ptr ? domain.ptr : "", sentences[status]);
}

static bool is_null_mx(const struct mx_found *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (mx_name_kind(found->records[i].name) != MX_NAME_ROOT)
			return false;
	}
	return count > 0;
}

static enum mx_status judge(const struct picks *picks)
{
	if (picks->count > 0)
		return MX_OK;
	/* What could not be learned may still be there: never a permanent answer. */
	if (picks->failed)
		return MX_TEMPORARY;
	if (picks->bogus)
		return MX_BOGUS;
	return picks->forbidden ? MX_ONLY_FORBIDDEN : MX_NO_HOST;
}

static enum mx_status select_hosts(const struct mx_found *found, const struct mx_params *params,
				   struct slice domain, struct mx_answer *answer)
{
	size_t count = min_size(found->record_count, MX_RECORDS_MAX);
	struct picks picks = { .count = 0 };
	size_t order[MX_RECORDS_MAX];
	char own_name[256];

	if (is_null_mx(found, count))
		return MX_NULL;
	sort_records(found, count, order);
	for (size_t i = 0; i < count; i++)
		pick_host(&picks, found, params, order[i], found->records[order[i]].name,
			  found->records[order[i]].preference);
	if (count == 0) {
		answer->implicit = true;
		if (mx_domain_normalise(own_name, domain))
			pick_host(&picks, found, params, 0, own_name, 0);
	}
	write_hosts(found, &picks, answer);
	answer->incomplete |= picks.failed || picks.bogus;
	if (answer->incomplete)
		answer->ttl_s = min_u32(answer->ttl_s, TTL_INCOMPLETE_S);
	return judge(&picks);
}

/* RFC 8461 section 3.1: more than one record is as good as none. */
static void write_policy(const struct mx_found *found, const struct mx_params *params,
			 struct mx_answer *answer)
{
	if (found->sts_count != 1 || found->sts_id[0] == '\0')
		return;
	memcpy(answer->sts_id, found->sts_id, sizeof(answer->sts_id));
	for (u32 i = 0; i < min_u32(found->sts_address_count, MX_STS_ADDRESSES_MAX); i++) {
		struct net_address address = found->sts_addresses[i];

		if (is_forbidden(params, &address))
			continue;
		address.port = HTTPS_PORT;
		answer->sts_addresses[answer->sts_address_count++] = address;
	}
}

/* RFC 8460 section 3: likewise. */
static void write_reports(const struct mx_found *found, struct mx_answer *answer)
{
	if (found->reports_count == 1)
		memcpy(answer->reports_to, found->reports_to, sizeof(answer->reports_to));
}

void mx_select(const struct mx_found *found, const struct mx_params *params, struct slice domain,
	       struct mx_answer *answer)
{
	enum mx_status status;

	*answer = (struct mx_answer){ .secure = found->secure };
	answer->ttl_s = min_u32(found->ttl_s, MX_TTL_MAX_S);
	if (answer->ttl_s < MX_TTL_MIN_S)
		answer->ttl_s = MX_TTL_MIN_S;
	if (found->bogus)
		status = MX_BOGUS;
	else if (found->failed)
		status = MX_TEMPORARY;
	else if (found->nxdomain)
		status = MX_NO_DOMAIN;
	else
		status = select_hosts(found, params, domain, answer);
	if (status == MX_OK) {
		write_policy(found, params, answer);
		write_reports(found, answer);
	}
	set_status(answer, domain, status);
}

static void shuffle_hosts(struct mx_host *hosts, size_t count, struct random *random)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(random, i);
		struct mx_host swap = hosts[i - 1];

		hosts[i - 1] = hosts[other];
		hosts[other] = swap;
	}
}

static void shuffle_addresses(struct net_address *addresses, size_t count, u8 family,
			      struct random *random)
{
	size_t seen = 0;

	for (size_t i = 0; i < count; i++) {
		size_t pick = i;

		if (addresses[i].family != family)
			continue;
		/* Inside-out: each of those seen so far is as likely to move here. */
		seen++;
		for (size_t skip = random_below(random, seen); skip > 0; skip--) {
			do
				pick--;
			while (addresses[pick].family != family);
		}
		struct net_address swap = addresses[i];

		addresses[i] = addresses[pick];
		addresses[pick] = swap;
	}
}

void mx_shuffle(struct mx_answer *answer, struct random *random)
{
	size_t first = 0;

	for (size_t i = 1; i <= answer->host_count; i++) {
		if (i < answer->host_count &&
		    answer->hosts[i].preference == answer->hosts[first].preference)
			continue;
		shuffle_hosts(answer->hosts + first, i - first, random);
		first = i;
	}
	for (size_t i = 0; i < answer->host_count; i++) {
		const struct mx_host *host = &answer->hosts[i];
		struct net_address *addresses = answer->addresses + host->address_first;

		shuffle_addresses(addresses, host->address_count, 4, random);
		shuffle_addresses(addresses, host->address_count, 6, random);
	}
}
