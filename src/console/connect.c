/*
 * `connect`: what a receiving host says, line by line, up to QUIT. It never sends mail.
 */
#include "base/clock.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/identity.h"
#include "console/lookup.h"
#include "io/tls_facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define WAIT_MS 30000
#define LINES_MAX 256
#define TRIES_MAX 4

struct dialogue {
	int fd;
	u64 begin_ns;
	struct tls_context *context;
	struct tls *tls; /* NULL: in the clear */
	struct buf in;   /* plaintext that is not read yet */
	bool offers_tls;
	struct error error;
};

/* ---- showing ---- */

/* "  0.012 <- 220 mx.example.com ESMTP" */
static void show(const struct dialogue *d, const char *mark, struct slice line)
{
	struct buf text;

	buf_init(&text, 16384);
	human_text(&text, line);
	printf("%7.3f %s %s\n", (double)(clock_mono_ns() - d->begin_ns) / 1e9, mark,
	       buf_text(&text));
	fflush(stdout);
	buf_done(&text);
}

static void show_fact(const struct dialogue *d, const char *what, const char *value)
{
	char line[700];

	if (!*value)
		return;
	snprintf(line, sizeof(line), "%s %s", what, value);
	show(d, "**", slice_of(line));
}

/* ---- bytes ---- */

static bool wait_for(struct dialogue *d, short events)
{
	struct pollfd ready = { .fd = d->fd, .events = events };
	int n;

	do
		n = poll(&ready, 1, WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return true;
	return error_set(&d->error, "nothing came within %d s", WAIT_MS / 1000);
}

static bool send_all(struct dialogue *d, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(d->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (!wait_for(d, POLLOUT))
				return false;
		} else if (n < 0) {
			return error_set_errno(&d->error, errno, "sending");
		} else {
			bytes = slice_from(bytes, (size_t)n);
		}
	}
	return true;
}

/* Ciphertext that the handshake or a write has made. */
static bool flush_tls(struct dialogue *d)
{
	struct slice bytes;

	while ((bytes = tls_output(d->tls)).len > 0) {
		if (!send_all(d, bytes))
			return false;
		tls_sent(d->tls, bytes.len);
	}
	return true;
}

/* Some bytes as they come; false: the end, or nothing in time. */
static bool receive(struct dialogue *d, char *to, size_t size, size_t *got)
{
	ssize_t n;

	for (;;) {
		if (!wait_for(d, POLLIN))
			return false;
		n = recv(d->fd, to, size, 0);
		if (n > 0) {
			*got = (size_t)n;
			return true;
		}
		if (n == 0)
			return error_set(&d->error, "the host closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return error_set_errno(&d->error, errno, "the connection broke");
	}
}

static bool take_plaintext(struct dialogue *d)
{
	enum tls_result result;
	char plain[4096];
	size_t got = 0;

	while ((result = tls_read(d->tls, plain, sizeof(plain), &got)) == TLS_OK)
		buf_add(&d->in, plain, got);
	if (result == TLS_ENDED)
		return error_set(&d->error, "the host ended TLS");
	if (result == TLS_FAILED)
		return error_set(&d->error, "TLS: %s", tls_why(d->tls));
	return flush_tls(d);
}

static bool read_more(struct dialogue *d)
{
	char bytes[4096];
	size_t got = 0;

	if (!receive(d, bytes, sizeof(bytes), &got))
		return false;
	if (!d->tls) {
		buf_add(&d->in, bytes, got);
		return !d->in.failed || error_set(&d->error, "a line without an end");
	}
	tls_feed(d->tls, (struct slice){ bytes, got });
	return take_plaintext(d) &&
	       (!d->in.failed || error_set(&d->error, "a line without an end"));
}

/* ---- the dialogue ---- */

static bool take_line(struct dialogue *d, char *line, size_t size)
{
	i64 end;

	while ((end = slice_find_char(buf_slice(&d->in), '\n')) < 0) {
		if (!read_more(d))
			return false;
	}
	slice_copy(line, size, slice_first(buf_slice(&d->in), (size_t)end));
	line[strcspn(line, "\r")] = '\0';
	buf_drop_front(&d->in, (size_t)end + 1);
	return true;
}

/* A whole reply, each line shown; its code, 0: none came or it is none. */
static u32 take_reply(struct dialogue *d)
{
	char line[2048];
	u32 code;

	for (u32 i = 0; i < LINES_MAX; i++) {
		if (!take_line(d, line, sizeof(line)))
			return 0;
		show(d, "<-", slice_of(line));
		if (strlen(line) < 3 || !slice_to_u32((struct slice){ line, 3 }, &code)) {
			error_set(&d->error, "that is not SMTP");
			return 0;
		}
		if (slice_equal_nocase(slice_of(line + min_size(4, strlen(line))),
				       SLICE("STARTTLS")))
			d->offers_tls = true;
		if (line[3] != '-')
			return code;
	}
	error_set(&d->error, "the reply has no end");
	return 0;
}

static u32 say(struct dialogue *d, const char *format, const char *word)
{
	char line[512];
	int n = snprintf(line, sizeof(line) - 2, format, word);
	struct iovec piece = { line, 0 };
	size_t taken;

	if (n < 0 || (size_t)n >= sizeof(line) - 2)
		return error_set(&d->error, "the line is too long");
	show(d, "->", slice_of(line));
	memcpy(line + n, "\r\n", 3);
	piece.iov_len = (size_t)n + 2;
	if (!d->tls && !send_all(d, (struct slice){ line, piece.iov_len }))
		return 0;
	if (d->tls &&
	    (tls_write(d->tls, &piece, 1, piece.iov_len, &taken) != TLS_OK || !flush_tls(d))) {
		error_set(&d->error, "TLS: %s", tls_why(d->tls));
		return 0;
	}
	return take_reply(d);
}

static void show_facts(const struct dialogue *d, const char *host)
{
	struct tls_facts facts;
	char line[200];

	tls_facts_read(d->tls, host, &facts);
	snprintf(line, sizeof(line), "%s, %s", facts.version, facts.cipher);
	show_fact(d, "TLS", line);
	if (!facts.has_certificate) {
		show_fact(d, "TLS", "no certificate");
		return;
	}
	show_fact(d, "certificate of", facts.subject);
	show_fact(d, "  by", facts.issuer);
	show_fact(d, "  for", facts.names);
	snprintf(line, sizeof(line), "%s to %s", facts.not_before, facts.not_after);
	show_fact(d, "  from", line);
	show_fact(d, facts.trouble[0] ? "  not to be trusted:" : "  trusted for",
		  facts.trouble[0] ? facts.trouble : host);
}

static bool start_tls(struct dialogue *d, const char *host)
{
	const struct tls_params params = { .sessions_max = 0 };
	const struct tls_peer peer = { .server_name = slice_of(host) };
	enum tls_result result;
	char bytes[4096];
	size_t got = 0;

	if (d->in.len > 0)
		return error_set(&d->error, "the host sent more than its reply to STARTTLS");
	d->context = tls_context_open(&params, &d->error);
	d->tls = d->context ? tls_open(d->context, &peer) : NULL;
	if (!d->tls)
		return error_set(&d->error, "no memory for TLS");
	while ((result = tls_handshake(d->tls)) == TLS_AGAIN) {
		if (!flush_tls(d) || !receive(d, bytes, sizeof(bytes), &got))
			return false;
		tls_feed(d->tls, (struct slice){ bytes, got });
	}
	if (!flush_tls(d))
		return false;
	if (result != TLS_OK)
		return error_set(&d->error, "TLS: %s", tls_why(d->tls));
	show_facts(d, host);
	return take_plaintext(d); /* what came with the end of the handshake */
}

static bool talk(struct dialogue *d, const char *host, const char *ehlo, bool uses_tls)
{
	u32 code = take_reply(d);

	if (code / 100 != 2)
		return code == 0 ? false : error_set(&d->error, "the host takes no mail from us");
	code = say(d, "EHLO %s", ehlo);
	if (code / 100 != 2)
		return code == 0 ? false : error_set(&d->error, "EHLO is refused");
	if (uses_tls && d->offers_tls) {
		if (say(d, "%s", "STARTTLS") != 220)
			return error_set(&d->error, "STARTTLS is refused");
		if (!start_tls(d, host) || say(d, "EHLO %s", ehlo) / 100 != 2)
			return false;
	} else if (uses_tls) {
		show(d, "**", SLICE("no STARTTLS: mail goes there in the clear"));
	}
	/* It may go away without a word. */
	(void)say(d, "%s", "QUIT");
	return true;
}

/* ---- connecting ---- */

static socklen_t fill(struct sockaddr_storage *to, const struct net_address *address)
{
	struct sockaddr_in6 *to6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *to4 = (struct sockaddr_in *)to;

	*to = (struct sockaddr_storage){ 0 };
	if (address->family == 6) {
		to6->sin6_family = AF_INET6;
		to6->sin6_port = htons(address->port);
		memcpy(&to6->sin6_addr, address->ip, 16);
		return sizeof(*to6);
	}
	to4->sin_family = AF_INET;
	to4->sin_port = htons(address->port);
	memcpy(&to4->sin_addr, address->ip, 4);
	return sizeof(*to4);
}

static bool open_connection(struct dialogue *d, const struct net_address *address,
			    const struct net_address *source)
{
	struct sockaddr_storage to;
	socklen_t to_size = fill(&to, address);
	struct sockaddr_storage from;
	socklen_t from_size = fill(&from, source);
	int code = 0;
	socklen_t size = sizeof(code);

	d->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return error_set_errno(&d->error, errno, "no socket");
	if (source->family == address->family &&
	    bind(d->fd, (struct sockaddr *)&from, from_size) < 0)
		return error_set_errno(&d->error, errno, "the source address");
	if (connect(d->fd, (struct sockaddr *)&to, to_size) < 0 && errno != EINPROGRESS)
		return error_set_errno(&d->error, errno, "no connection");
	if (!wait_for(d, POLLOUT))
		return error_set(&d->error, "no connection within %d s", WAIT_MS / 1000);
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 || code != 0)
		return error_set_errno(&d->error, code ? code : errno, "no connection");
	return true;
}

struct wanted {
	const char *ehlo;
	struct net_address source; /* family 0: the kernel chooses */
	u16 port;
	bool uses_tls;
};

/* One host at one address. *is_connected: it answered, whatever it said. */
static bool visit(const struct console *console, const char *host, struct net_address address,
		  const struct wanted *wanted, bool *is_connected)
{
	struct dialogue d = { .fd = -1, .begin_ns = clock_mono_ns() };
	char text[NET_ADDRESS_TEXT_SIZE];
	char line[400];
	bool ok;

	address.port = wanted->port;
	net_address_format(text, &address, true);
	snprintf(line, sizeof(line), "%s at %s", host, text);
	show(&d, "**", slice_of(line));
	buf_init(&d.in, 64u << 10);
	*is_connected = open_connection(&d, &address, &wanted->source);
	if (*is_connected)
		show(&d, "**", SLICE("connected"));
	ok = *is_connected && talk(&d, host, wanted->ehlo, wanted->uses_tls);
	if (!ok)
		console_fail(console, CONSOLE_FAILED, "%s: %s", host,
			     d.error.text[0] ? d.error.text : "the dialogue broke off");
	tls_close(d.tls);
	tls_context_close(d.context);
	buf_done(&d.in);
	if (d.fd >= 0)
		close(d.fd);
	return ok;
}

/* The hosts of the domain in their order, until one answers. */
static int visit_domain(const struct console *console, const char *domain,
			const struct wanted *wanted)
{
	struct lookup_dns dns;
	struct mx_answer answer;
	struct error error;
	bool is_found;
	u32 tries = 0;

	if (!lookup_open(console, &dns, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	is_found = lookup_mx(&dns, domain, &answer, &error);
	lookup_close(&dns);
	if (!is_found)
		return console_fail_error(console, CONSOLE_FAILED, &error);
	if (answer.status != MX_OK)
		return console_fail(console, CONSOLE_FAILED, "%s", answer.text);
	for (u32 i = 0; i < answer.host_count; i++) {
		const struct mx_host *host = &answer.hosts[i];

		printf("MX %u %s%s%s\n", host->preference, host->name,
		       answer.implicit ? " (no MX: the domain itself)" : "",
		       host->secure ? ", secure" : "");
	}
	for (u32 i = 0; i < answer.host_count; i++) {
		const struct mx_host *host = &answer.hosts[i];

		for (u32 k = 0; k < host->address_count && tries < TRIES_MAX; k++, tries++) {
			bool is_connected;
			bool ok = visit(console, host->name,
					answer.addresses[host->address_first + k], wanted,
					&is_connected);

			if (is_connected)
				return ok ? CONSOLE_OK : CONSOLE_FAILED;
		}
	}
	return CONSOLE_FAILED;
}

/* As the sender says it, when there is a configuration; else the machine's name. */
static void default_ehlo(const struct console *console, char ehlo[QUESTION_NAME_SIZE])
{
	char path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error ignored;

	if (config_read(&config, console_config_path(console, path), &ignored)) {
		slice_copy(ehlo, QUESTION_NAME_SIZE,
			   slice_of(config.customers[0].addresses[0].ehlo));
		config_free(&config);
	} else if (gethostname(ehlo, QUESTION_NAME_SIZE) < 0 || !*ehlo) {
		slice_copy(ehlo, QUESTION_NAME_SIZE, SLICE("localhost"));
	}
	ehlo[QUESTION_NAME_SIZE - 1] = '\0';
}

int connect_run(struct console *console, int argc, char **argv)
{
	char ehlo[QUESTION_NAME_SIZE];
	char name[QUESTION_NAME_SIZE];
	struct wanted wanted = { .ehlo = ehlo, .port = 25, .uses_tls = true };
	struct net_address address;
	const char *source = NULL;
	const char *given_ehlo = NULL;
	bool in_the_clear = false;
	bool is_connected;
	u64 port = 25;
	const struct option options[] = {
		{ "port", OPTION_NUMBER, &port, "N", "instead of 25", NULL },
		{ "ehlo", OPTION_TEXT, &given_ehlo, "NAME", "instead of the configured one", NULL },
		{ "from", OPTION_TEXT, &source, "ADDRESS", "our own address, of several", NULL },
		{ "no-tls", OPTION_FLAG, &in_the_clear, NULL, "without STARTTLS", NULL },
	};
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	default_ehlo(console, ehlo);
	if (given_ehlo && !slice_copy(ehlo, sizeof(ehlo), slice_of(given_ehlo)))
		return console_fail(console, CONSOLE_USAGE, "--ehlo: too long");
	if (port < 1 || port > 65535 || strpbrk(ehlo, " \r\n\t"))
		return console_fail(console, CONSOLE_USAGE, "--port or --ehlo cannot be used");
	if (source && !net_address_parse(&wanted.source, slice_of(source), false))
		return console_fail(console, CONSOLE_USAGE, "--from: not an address");
	wanted.port = (u16)port;
	wanted.uses_tls = !in_the_clear;
	if (!lookup_name(argv[0], name))
		return console_fail(console, CONSOLE_USAGE,
				    "\"%.64s\" is neither a name nor an "
				    "address",
				    argv[0]);
	if (net_address_parse(&address, slice_of(name), false))
		return visit(console, name, address, &wanted, &is_connected) ? CONSOLE_OK
									     : CONSOLE_FAILED;
	return visit_domain(console, name, &wanted);
}
