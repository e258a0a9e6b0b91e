#include "console/lookup.h"

#include "base/text.h"
#include "message/address.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* ---- open and close ---- */

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
		mx_params_take(&dns->params, &dns->config.dns, dns->allowed);
		dns->params.timeout_ms = LOOKUP_TIMEOUT_MS;
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
