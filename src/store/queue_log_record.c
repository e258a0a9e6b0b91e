/*
 * Layouts of the delivery log: entries, and blocks of its index.
 */
#include "store/queue_record.h"

#include "base/check.h"
#include "base/text.h"
#include "store/record.h"

/*
 * Code and class share a number, so that the layout is one for both: a program of before there were
 * classes, to which a trial of an upgrade may fall back, reads entries with a class all the same.
 */
#define CLASS_SHIFT 10
_Static_assert(LOG_CODE_MAX == (1 << CLASS_SHIFT) - 1, "a code has the lower bits");
_Static_assert(LOG_CLASS_MAX == UINT16_MAX >> CLASS_SHIFT, "a class has the upper bits");
#define PROVEN 0x80 /* in the byte of the policy */

static u16 pack_code(u16 code, u8 class)
{
	return (u16)((code <= LOG_CODE_MAX ? code : 0) | class << CLASS_SHIFT);
}

/* ---- how it was sent: version 3 ---- */

static size_t ip_length(u8 family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

static bool says_how(const struct queue_log_entry *entry)
{
	return entry->site.len > 0 || entry->source.family || entry->tls || entry->tls_policy ||
	       entry->bytes;
}

static u8 *put_how(u8 *at, const struct queue_log_entry *entry, struct slice site)
{
	const struct net_address *source = &entry->source;
	const struct slice ip = { (const char *)source->ip, ip_length(source->family) };

	ASSERT(entry->tls <= LOG_TLS_LAST && entry->tls_policy <= LOG_POLICY_LAST);
	ASSERT(ip.len > 0 || source->family == 0);
	at = record_put_u32(at, entry->bytes);
	at = record_put_u8(at, entry->tls);
	at = record_put_u8(at, (u8)(entry->tls_policy | (entry->tls_proven ? PROVEN : 0)));
	at = record_put_u8(at, source->family);
	at = record_put_bytes(at, ip);
	at = record_put_u8(at, (u8)site.len);
	return record_put_bytes(at, site);
}

static void clear_how(struct queue_log_entry *entry)
{
	entry->bytes = 0;
	entry->tls = 0;
	entry->tls_policy = 0;
	entry->tls_proven = false;
	entry->source = (struct net_address){ 0 };
	entry->site = SLICE_NONE;
}

static bool get_how(struct record_reader *r, struct queue_log_entry *entry)
{
	struct slice ip;
	u8 policy;

	entry->bytes = record_get_u32(r);
	entry->tls = record_get_u8(r);
	policy = record_get_u8(r);
	entry->tls_policy = policy & (PROVEN - 1);
	entry->tls_proven = policy & PROVEN;
	entry->source.family = record_get_u8(r);
	ip = record_get_bytes(r, ip_length(entry->source.family));
	if (ip.len > 0)
		memcpy(entry->source.ip, ip.ptr, ip.len);
	entry->site = record_get_bytes(r, record_get_u8(r));
	return entry->tls <= LOG_TLS_LAST && entry->tls_policy <= LOG_POLICY_LAST &&
	       (entry->source.family == 0 || ip.len > 0);
}

/* ---- entries ---- */

static u8 version_of(const struct queue_log_entry *entry)
{
	if (says_how(entry))
		return RECORD_VERSION_SENT;
	return entry->age_ms == entry->wall_ms ? RECORD_VERSION : RECORD_VERSION_AGED;
}

size_t log_record_write(u8 *out, const struct queue_log_entry *entry)
{
	struct slice host = slice_first(entry->host, ROW_HOST_MAX);
	struct slice reply = slice_first(entry->reply, ROW_REPLY_MAX);
	u8 version = version_of(entry);
	u8 *at = out;

	ASSERT(entry->address.len <= ROW_ADDRESS_MAX);
	ASSERT(entry->outcome >= LOG_DELIVERED && entry->outcome <= LOG_OUTCOME_LAST);
	ASSERT(entry->reply_class <= LOG_CLASS_MAX);
	at = record_put_u8(at, version);
	at = record_put_u8(at, (u8)entry->outcome);
	at = record_put_u16(at, pack_code(entry->code, entry->reply_class));
	at = record_put_u16(at, entry->enhanced[0]);
	at = record_put_u16(at, entry->enhanced[1]);
	at = record_put_u16(at, entry->enhanced[2]);
	at = record_put_u8(at, entry->attempts);
	at = record_put_u64(at, entry->wall_ms);
	if (version != RECORD_VERSION)
		at = record_put_u64(at, entry->age_ms);
	at = record_put_u32(at, entry->id.campaign);
	at = record_put_u32(at, entry->id.domain);
	at = record_put_u32(at, entry->id.seq);
	at = record_put_u32(at, entry->elapsed_ms);
	if (version == RECORD_VERSION_SENT)
		at = put_how(at, entry, slice_first(entry->site, LOG_SITE_MAX));
	at = record_put_u16(at, (u16)entry->address.len);
	at = record_put_u16(at, (u16)host.len);
	at = record_put_u16(at, (u16)reply.len);
	at = record_put_bytes(at, entry->address);
	at = record_put_bytes(at, host);
	at = record_put_bytes(at, reply);
	return (size_t)(at - out);
}

static bool get_texts(struct record_reader *r, struct queue_log_entry *entry)
{
	u16 address_len = record_get_u16(r);
	u16 host_len = record_get_u16(r);
	u16 reply_len = record_get_u16(r);

	entry->address = record_get_bytes(r, address_len);
	entry->host = record_get_bytes(r, host_len);
	entry->reply = record_get_bytes(r, reply_len);
	return address_len <= ROW_ADDRESS_MAX && host_len <= ROW_HOST_MAX &&
	       reply_len <= ROW_REPLY_MAX;
}

bool log_record_read(struct slice record, struct queue_log_entry *entry)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	bool fits = version >= RECORD_VERSION && version <= RECORD_VERSION_SENT;
	u16 code;

	entry->outcome = record_get_u8(&r);
	code = record_get_u16(&r);
	entry->code = code & LOG_CODE_MAX;
	entry->reply_class = (u8)(code >> CLASS_SHIFT);
	entry->enhanced[0] = record_get_u16(&r);
	entry->enhanced[1] = record_get_u16(&r);
	entry->enhanced[2] = record_get_u16(&r);
	entry->attempts = record_get_u8(&r);
	entry->wall_ms = record_get_u64(&r);
	entry->age_ms = version == RECORD_VERSION ? entry->wall_ms : record_get_u64(&r);
	entry->id.campaign = record_get_u32(&r);
	entry->id.domain = record_get_u32(&r);
	entry->id.seq = record_get_u32(&r);
	entry->elapsed_ms = record_get_u32(&r);
	clear_how(entry);
	if (version == RECORD_VERSION_SENT)
		fits &= get_how(&r, entry);
	fits &= get_texts(&r, entry);
	return fits && !r.bad && r.left == 0 && entry->outcome >= LOG_DELIVERED &&
	       entry->outcome <= LOG_OUTCOME_LAST;
}

/* ---- blocks of the index ---- */

size_t log_block_write(u8 out[LOG_BLOCK_MAX], const struct log_block *block)
{
	u8 *at = record_put_u8(out, RECORD_VERSION);

	at = record_put_u64(at, block->oldest_ms);
	at = record_put_u64(at, block->newest_ms);
	at = record_put_u64(at, block->outcomes);
	at = record_put_u64(at, block->classes);
	at = record_put_u64(at, block->campaigns);
	at = record_put_u64(at, block->sites);
	for (size_t i = 0; i < LOG_BLOCK; i++) {
		at = record_put_u16(at, block->prints[i][0]);
		at = record_put_u16(at, block->prints[i][1]);
	}
	return (size_t)(at - out);
}

bool log_block_read(struct slice record, struct log_block *block)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	block->oldest_ms = record_get_u64(&r);
	block->newest_ms = record_get_u64(&r);
	block->outcomes = record_get_u64(&r);
	block->classes = record_get_u64(&r);
	block->campaigns = record_get_u64(&r);
	block->sites = record_get_u64(&r);
	if (r.bad || version != RECORD_VERSION || r.left != LOG_BLOCK * 4)
		return false;
	for (size_t i = 0; i < LOG_BLOCK; i++) {
		block->prints[i][0] = record_get_u16(&r);
		block->prints[i][1] = record_get_u16(&r);
	}
	return true;
}
