#include "console/lookup.h"

#include "base/text.h"
#include "dns/record_text.h"
#include "message/address.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* ---- open and close ---- */

static void take_config(struct lookup_dns *dns)
{
	const struct config_dns *from = &dns->config.dns;

	dns->params = (struct mx_params){
		.forwarders = from->forwarders.items,
		.forwarder_count = from->forwarders.count,
		.trust_anchor_file = from->trust_anchor_file,
		.root_hints_file = from->root_hints,
		.trust_anchors = from->trust_anchors.items,
		.trust_anchor_count = from->trust_anchors.count,
		.stub_zones = from->stub_zones.items,
		.stub_zone_count = from->stub_zones.count,
		.allowed = dns->allowed,
		.ipv4 = from->ipv4,
		.ipv6 = from->ipv6,
		.timeout_ms = LOOKUP_TIMEOUT_MS,
	};
	for (size_t i = 0; i < from->allow_destinations.count; i++) {
		/* The configuration has checked them. */
		if (net_range_parse(&dns->allowed[dns->params.allowed_count],
				    slice_of(from->allow_destinations.items[i])))
			dns->params.allowed_count++;
	}
}

bool lookup_open(const struct console *console, struct lookup_dns *dns, struct error *error)
{
	char path[CONSOLE_PATH_SIZE];

	*dns = (struct lookup_dns){
		.params = { .ipv4 = true, .ipv6 = true, .timeout_ms = LOOKUP_TIMEOUT_MS }
	};
	console_config_path(console, path);
	if (console->config_path || access(path, F_OK) == 0) {
		if (!config_read(&dns->config, path, error))
			return false;
		take_config(dns);
	}
	dns->asker = question_open(&dns->params, error);
	if (dns->asker)
		return true;
	config_free(&dns->config);
	return false;
}

void lookup_close(struct lookup_dns *dns)
{
	question_close(dns->asker);
	config_free(&dns->config);
}

/* ---- questions ---- */

bool lookup_mx(struct lookup_dns *dns, const char *domain, struct mx_answer *answer,
	       struct error *error)
{
	struct mx_resolver *resolver = mx_resolver_open(&dns->params, error);
	struct pollfd ready = { .events = POLLIN };
	u64 cookie;

	if (!resolver)
		return false;
	ready.fd = mx_resolver_fd(resolver);
	if (!mx_lookup(resolver, slice_of(domain), 1)) {
		mx_resolver_close(resolver);
		return error_set(error, "dns: out of memory");
	}
	/* The resolver ends every lookup by its own timeout. */
	while (!mx_next_answer(resolver, &cookie, answer)) {
		(void)poll(&ready, 1, 1000);
		mx_resolver_process(resolver);
	}
	mx_resolver_close(resolver);
	return true;
}

enum question_status lookup_ptr(struct lookup_dns *dns, const char *address, u32 timeout_ms,
				char name[QUESTION_NAME_SIZE])
{
	struct net_address parsed;
	char question[QUESTION_REVERSE_SIZE];
	struct question_answer answer;
	enum question_status status;

	name[0] = '\0';
	if (!net_address_parse(&parsed, slice_of(address), false))
		return QUESTION_FAILED;
	question_reverse(question, &parsed);
	question_ask(dns->asker, question, RECORD_PTR, timeout_ms, &answer);
	status = answer.status;
	if (answer.count > 0 &&
	    record_name(name, answer.records[0].bytes, answer.records[0].len) == 0)
		status = QUESTION_FAILED;
	ascii_lower_in_place(name, strlen(name));
	question_answer_done(&answer);
	return status;
}

bool lookup_has_address(struct lookup_dns *dns, const char *name, const char *address,
			u32 timeout_ms)
{
	bool is_v6 = strchr(address, ':') != NULL;
	u16 type = is_v6 ? RECORD_AAAA : RECORD_A;
	struct net_address wanted;
	struct question_answer answer;
	bool has = false;

	if (!net_address_parse(&wanted, slice_of(address), false))
		return false;
	question_ask(dns->asker, name, type, timeout_ms, &answer);
	for (size_t i = 0; i < answer.count; i++)
		has |= answer.records[i].len == (is_v6 ? 16 : 4) &&
		       memcmp(answer.records[i].bytes, wanted.ip, answer.records[i].len) == 0;
	question_answer_done(&answer);
	return has;
}

/* ---- names ---- */

bool lookup_name(const char *typed, char name[QUESTION_NAME_SIZE])
{
	struct slice text = slice_trim(slice_of(typed));
	struct address address;
	struct error ignored;
	char mailbox[QUESTION_NAME_SIZE + 2];
	bool is_ascii = true;

	if (text.len > 1 && text.ptr[text.len - 1] == '.')
		text.len--;
	if (text.len == 0 || text.len > 253)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		u8 c = (u8)text.ptr[i];

		is_ascii &= c < 0x80;
		if (c <= ' ' || c == 0x7f || c == '@')
			return false;
	}
	/* Underscores and single labels are names, too, though not of mail hosts. */
	if (is_ascii)
		return slice_copy(name, QUESTION_NAME_SIZE, text);
	snprintf(mailbox, sizeof(mailbox), "x@%.*s", SLICE_FMT(text));
	return address_parse(&address, slice_of(mailbox), &ignored) &&
	       slice_copy(name, QUESTION_NAME_SIZE, slice_of(address.domain));
}
