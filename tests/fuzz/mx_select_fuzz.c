/* MX selection from any records: no address that must not be dialled, and every limit kept. */
#include "base/check.h"
#include "base/text.h"
#include "dns/mx_parts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u8 next_byte(const u8 **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}

static void fill_name(char name[256], const u8 **data, size_t *size)
{
	static const char *const names[] = { "a.test", "b.test",  "localhost", "",
					     ".",      "1.2.3.4", "x" };
	u8 pick = next_byte(data, size);
	size_t len = 0;

	if (pick < array_count(names)) {
		slice_copy(name, 256, slice_of(names[pick]));
		return;
	}
	for (len = 0; len < pick % 64u; len++)
		name[len] = (char)next_byte(data, size);
	name[len] = '\0';
}

static void fill_host(struct mx_found *found, size_t host, const u8 **data, size_t *size)
{
	u8 flags = next_byte(data, size);

	found->host_failed[host] = flags & 1;
	found->host_bogus[host] = flags & 2;
	found->host_secure[host] = flags & 4;
	found->host_address_count[host] = flags >> 3 & 15;
	for (size_t i = 0; i < found->host_address_count[host]; i++) {
		struct net_address *address = &found->host_addresses[host][i];

		address->family = next_byte(data, size) & 1 ? 4 : 6;
		for (size_t j = 0; j < (address->family == 4 ? 4 : 16); j++)
			address->ip[j] = next_byte(data, size);
	}
}

static void check_answer(const struct mx_answer *answer, const struct net_address *own)
{
	u32 at = 0;

	ASSERT(answer->host_count <= MX_HOSTS_MAX && answer->address_count <= MX_ADDRESSES_MAX);
	ASSERT((answer->status == MX_OK) == (answer->host_count > 0));
	ASSERT(answer->ttl_s >= MX_TTL_MIN_S && answer->ttl_s <= MX_TTL_MAX_S);
	for (u32 i = 0; i < answer->host_count; i++) {
		const struct mx_host *host = &answer->hosts[i];

		ASSERT(mx_name_kind(host->name) == MX_NAME_HOST);
		ASSERT(host->address_count >= 1 && host->address_first == at);
		ASSERT(i == 0 || host->preference >= answer->hosts[i - 1].preference);
		at += host->address_count;
	}
	ASSERT(at == answer->address_count);
	for (u32 i = 0; i < answer->address_count; i++) {
		ASSERT(!net_address_is_special(&answer->addresses[i]));
		ASSERT(!net_address_same_host(&answer->addresses[i], own));
		ASSERT(answer->addresses[i].port == 25);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct mx_found found;
	struct net_address own = { .family = 4, .ip = { 20, 0, 0, 99 } };
	struct mx_params params = { .own = &own, .own_count = 1 };
	struct mx_answer answer;
	struct mx_answer unpacked;
	struct mx_entry *entry;
	struct random random;
	u8 flags = next_byte(&data, &size);

	memset(&found, 0, sizeof(found));
	found.nxdomain = flags & 1;
	found.failed = flags & 2;
	found.bogus = flags & 4;
	params.ipv4 = !(flags & 8);
	params.ipv6 = !(flags & 16);
	found.ttl_s = next_byte(&data, &size) * 1000u;
	found.record_count = next_byte(&data, &size) % (MX_RECORDS_MAX + 1);
	for (size_t i = 0; i < found.record_count || i == 0; i++) {
		found.records[i].preference = next_byte(&data, &size);
		fill_name(found.records[i].name, &data, &size);
		fill_host(&found, i, &data, &size);
	}
	mx_select(&found, &params, SLICE("x.test"), &answer);
	check_answer(&answer, &own);
	entry = mx_entry_pack("x.test", &answer, answer.ttl_s * 1000000000ull);
	ASSERT(entry);
	mx_entry_unpack(entry, &unpacked, 0);
	mx_entry_drop(entry);
	check_answer(&unpacked, &own);
	random_seed(&random, 1);
	mx_shuffle(&unpacked, &random);
	/* The hosts of one preference have changed places, their addresses have not. */
	ASSERT(unpacked.host_count == answer.host_count &&
	       unpacked.address_count == answer.address_count);
	return 0;
}
