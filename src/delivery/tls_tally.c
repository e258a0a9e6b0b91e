#include "delivery/tls_tally.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Beyond TLS_DETAILS_MAX: one for each outcome and policy, without address and reason. */
#define DETAILS_ROOM (TLS_DETAILS_MAX + TLS_POLICIES_MAX * TLS_OUTCOMES)

static const char *const type_names[] = {
	[TLS_POLICY_NONE] = "no-policy-found",
	[TLS_POLICY_TLSA] = "tlsa",
	[TLS_POLICY_STS] = "sts",
};

const char *tls_policy_type_name(u32 type)
{
	return type_names[type < TLS_POLICY_TYPES ? type : TLS_POLICY_NONE];
}

void tls_tally_init(struct tls_tally *tally)
{
	memset(tally, 0, sizeof(*tally));
}

void tls_tally_done(struct tls_tally *tally)
{
	for (u32 i = 0; i < tally->policy_count; i++) {
		free(tally->policies[i].strings);
		free(tally->policies[i].hosts);
	}
	free(tally->details);
	tls_tally_init(tally);
}

bool tls_tally_is_empty(const struct tls_tally *tally)
{
	return tally->policy_count == 0;
}

bool tls_tally_is_told(const struct tls_tally *tally)
{
	struct slice rest = slice_of(tally->rua);
	struct tlsrpt_uri uri;
	u32 places = 0;

	while (tlsrpt_uri_next(&rest, &uri))
		places = places << 1 | 1;
	return (tally->told & places) == places;
}

/* ---- policies ---- */

/* Whole lines within `max` bytes. */
static struct slice cut(struct slice lines, size_t max)
{
	size_t len = min_size(lines.len, max);

	while (len > 0 && lines.ptr[len - 1] != '\n')
		len--;
	return slice_first(lines, len);
}

static char *copy(struct slice text)
{
	char *to = malloc(text.len + 1);

	if (to)
		slice_copy(to, text.len + 1, text);
	return to;
}

int tls_tally_policy(struct tls_tally *tally, enum tls_policy_type type, struct slice strings,
		     struct slice hosts)
{
	struct tls_policy *policy;

	strings = cut(strings, TLS_STRINGS_MAX);
	hosts = cut(hosts, TLS_HOSTS_MAX);
	for (u32 i = 0; i < tally->policy_count; i++) {
		policy = &tally->policies[i];
		if (policy->type == type && slice_equal(slice_of(policy->strings), strings) &&
		    slice_equal(slice_of(policy->hosts), hosts))
			return (int)i;
	}
	if (tally->policy_count == TLS_POLICIES_MAX)
		return TLS_POLICIES_MAX - 1;
	policy = &tally->policies[tally->policy_count];
	*policy = (struct tls_policy){ .type = (u8)type,
				       .strings = copy(strings),
				       .hosts = copy(hosts) };
	if (!policy->strings || !policy->hosts) {
		free(policy->strings);
		free(policy->hosts);
		return -1;
	}
	tally->bytes += strings.len + hosts.len;
	return (int)tally->policy_count++;
}

/* ---- failures ---- */

static bool same_address(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && (a->family == 0 || net_address_same_host(a, b));
}

static void fill(struct tls_detail *detail, u32 policy, const struct tls_failure *failure)
{
	*detail = (struct tls_detail){ .policy = (u8)policy, .outcome = failure->outcome };
	detail->source = failure->source;
	detail->receiver = failure->receiver;
	slice_copy(detail->host, sizeof(detail->host), slice_of(failure->host));
	slice_copy(detail->reason, sizeof(detail->reason), slice_of(failure->reason));
	for (char *c = detail->reason; *c; c++) {
		/* What is kept is a line. */
		if (*c < ' ' || *c > '~')
			*c = ' ';
	}
}

static struct tls_detail *find(struct tls_tally *tally, const struct tls_detail *like)
{
	for (u32 i = 0; i < tally->detail_count; i++) {
		struct tls_detail *detail = &tally->details[i];

		if (detail->policy == like->policy && detail->outcome == like->outcome &&
		    same_address(&detail->source, &like->source) &&
		    same_address(&detail->receiver, &like->receiver) &&
		    strcmp(detail->host, like->host) == 0 &&
		    strcmp(detail->reason, like->reason) == 0)
			return detail;
	}
	return NULL;
}

static struct tls_detail *add(struct tls_tally *tally, const struct tls_detail *like)
{
	struct tls_detail *more = realloc(tally->details,
					  (tally->detail_count + 1) * sizeof(*more));

	if (!more)
		return NULL;
	tally->details = more;
	tally->bytes += sizeof(*more);
	tally->details[tally->detail_count] = *like;
	return &tally->details[tally->detail_count++];
}

bool tls_tally_failed(struct tls_tally *tally, u32 policy, const struct tls_failure *failure)
{
	const struct tls_failure rest = { .outcome = failure->outcome, .host = "", .reason = "" };
	struct tls_detail like;
	struct tls_detail *detail;

	fill(&like, policy, failure);
	detail = find(tally, &like);
	if (!detail && tally->detail_count >= TLS_DETAILS_MAX) {
		fill(&like, policy, &rest);
		detail = find(tally, &like);
	}
	if (!detail && tally->detail_count < DETAILS_ROOM)
		detail = add(tally, &like);
	if (!detail)
		return false;
	detail->count += failure->count;
	return true;
}

u64 tls_tally_failures(const struct tls_tally *tally, u32 policy)
{
	u64 sum = 0;

	for (u32 i = 0; i < tally->detail_count; i++)
		sum += tally->details[i].policy == policy ? tally->details[i].count : 0;
	return sum;
}

/* ---- as text ---- */

static void write_lines(struct buf *out, const char *word, const char *lines)
{
	struct slice rest = slice_of(lines);

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');

		buf_add_format(out, "%s %.*s\n", word, SLICE_FMT(line));
	}
}

static void write_address(struct buf *out, const struct net_address *address)
{
	char text[NET_ADDRESS_TEXT_SIZE] = "-";

	if (address->family)
		net_address_format(text, address, false);
	buf_add_format(out, " %s", text);
}

void tls_tally_write(const struct tls_tally *tally, struct buf *out)
{
	buf_add_format(out, "rua %s\n", tally->rua);
	buf_add_format(out, "report %u %u %llu\n", tally->told, tally->tries,
		       (unsigned long long)tally->next_ms);
	for (u32 i = 0; i < tally->policy_count; i++) {
		const struct tls_policy *policy = &tally->policies[i];

		buf_add_format(out, "policy %s %llu\n", type_names[policy->type],
			       (unsigned long long)policy->successes);
		write_lines(out, "string", policy->strings);
		write_lines(out, "host", policy->hosts);
	}
	for (u32 i = 0; i < tally->detail_count; i++) {
		const struct tls_detail *detail = &tally->details[i];

		buf_add_format(out, "failure %u %s %llu", detail->policy,
			       tls_outcome_name(detail->outcome),
			       (unsigned long long)detail->count);
		write_address(out, &detail->source);
		write_address(out, &detail->receiver);
		buf_add_format(out, " %s %s\n", detail->host[0] ? detail->host : "-",
			       detail->reason);
	}
}

static int word_of(struct slice word, const char *const *names, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (slice_equal(word, slice_of(names[i])))
			return (int)i;
	}
	return -1;
}

static bool read_report(struct tls_tally *tally, struct slice line)
{
	u32 told;
	u32 tries;

	if (!slice_to_u32(slice_split(&line, ' '), &told) ||
	    !slice_to_u32(slice_split(&line, ' '), &tries) || told > UINT8_MAX ||
	    tries > UINT8_MAX)
		return false;
	tally->told = (u8)told;
	tally->tries = (u8)tries;
	return slice_to_u64(line, &tally->next_ms);
}

/* A policy whose lines are still coming. */
struct reading {
	bool is_open;
	u8 type;
	u64 successes;
	struct buf strings;
	struct buf hosts;
};

static bool read_policy(struct reading *reading, struct slice line)
{
	int type = word_of(slice_split(&line, ' '), type_names, TLS_POLICY_TYPES);

	if (type < 0 || !slice_to_u64(line, &reading->successes))
		return false;
	reading->type = (u8)type;
	reading->is_open = true;
	return true;
}

static bool close_policy(struct tls_tally *tally, struct reading *reading)
{
	u32 before = tally->policy_count;
	int index;

	if (!reading->is_open)
		return true;
	reading->is_open = false;
	if (reading->strings.failed || reading->hosts.failed)
		return false;
	index = tls_tally_policy(tally, reading->type, buf_slice(&reading->strings),
				 buf_slice(&reading->hosts));
	buf_reset(&reading->strings);
	buf_reset(&reading->hosts);
	if (index < 0 || tally->policy_count == before)
		return false;
	tally->policies[index].successes = reading->successes;
	return true;
}

static bool read_address(struct net_address *address, struct slice word)
{
	*address = (struct net_address){ 0 };
	return slice_equal(word, SLICE("-")) || net_address_parse(address, word, false);
}

static bool read_failure(struct tls_tally *tally, struct slice line)
{
	struct tls_failure failure = { .host = "", .reason = "" };
	char host[256];
	char reason[TLS_REASON_SIZE];
	u32 policy;

	if (!slice_to_u32(slice_split(&line, ' '), &policy) || policy >= tally->policy_count)
		return false;
	failure.outcome = (u8)tls_outcome_find(slice_split(&line, ' '));
	if (failure.outcome <= TLS_OUTCOME_OK ||
	    !slice_to_u64(slice_split(&line, ' '), &failure.count) ||
	    !read_address(&failure.source, slice_split(&line, ' ')) ||
	    !read_address(&failure.receiver, slice_split(&line, ' ')) ||
	    !slice_copy(host, sizeof(host), slice_split(&line, ' ')) || !line.ptr ||
	    !slice_copy(reason, sizeof(reason), line))
		return false;
	if (strcmp(host, "-") != 0)
		failure.host = host;
	failure.reason = reason;
	return tls_tally_failed(tally, policy, &failure);
}

static bool read_line(struct tls_tally *tally, struct reading *reading, struct slice line)
{
	struct slice word = slice_split(&line, ' ');

	if (!line.ptr)
		return false;
	if (slice_equal(word, SLICE("string")) || slice_equal(word, SLICE("host"))) {
		struct buf *lines = word.len == 4 ? &reading->hosts : &reading->strings;

		buf_add_slice(lines, line);
		buf_add_char(lines, '\n');
		return reading->is_open;
	}
	if (!close_policy(tally, reading))
		return false;
	if (slice_equal(word, SLICE("rua")))
		return slice_copy(tally->rua, sizeof(tally->rua), line);
	if (slice_equal(word, SLICE("report")))
		return read_report(tally, line);
	if (slice_equal(word, SLICE("policy")))
		return read_policy(reading, line);
	return slice_equal(word, SLICE("failure")) && read_failure(tally, line);
}

bool tls_tally_read(struct tls_tally *tally, struct slice text)
{
	struct reading reading = { .is_open = false };
	bool is_good = true;

	tls_tally_init(tally);
	buf_init(&reading.strings, TLS_STRINGS_MAX);
	buf_init(&reading.hosts, TLS_HOSTS_MAX);
	while (is_good && text.len > 0)
		is_good = read_line(tally, &reading, slice_split(&text, '\n'));
	is_good = is_good && close_policy(tally, &reading);
	buf_done(&reading.strings);
	buf_done(&reading.hosts);
	if (!is_good)
		tls_tally_done(tally);
	return is_good;
}
