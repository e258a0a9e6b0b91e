/*
 * What the tests of the SMTP server share: a server with a clock that only the test moves, and a
 * caller of it that decides by the local part (no...: 550, later...: 451, gone...: 421, else
 * accepted; the null sender is accepted), keeps what was accepted, and checks what holds in every
 * dialogue:
 *   RCPT and CONTENT only in a transaction, END only with a recipient; one CLOSE, nothing behind it;
 *   CONTENT adds up to END's size and never to more than the limit; has no bare CR or LF, no NUL;
 *   output ends with CRLF and has no other control bytes; what is not read is the input's rest.
 */
#ifndef TESTS_SMTP_HOST_H
#define TESTS_SMTP_HOST_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "smtp/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_START_NS (1000 * NS_PER_S)

/* `fail_msg` of cmocka, or abort in the fuzzers. */
#ifndef host_fail
#define host_fail(...) fail_msg(__VA_ARGS__)
#endif
#define host_check(cond, ...)                                                                      \
	do {                                                                                       \
		if (!(cond))                                                                       \
			host_fail(__VA_ARGS__);                                                    \
	} while (0)

struct host {
	struct smtp_server_params params;
	struct smtp_server server;
	u64 now_ns;
	bool answers_late; /* not before all events are taken; what came meanwhile is kept */
	bool asked;
	u32 code;          /* the answer that is due; 250: accept */
	bool in_mail;
	u32 recipients;
	bool wants_tls;
	bool over;
	enum smtp_server_why why;
	struct buf content; /* of the open transaction */
	struct buf held;    /* what was not read */
	struct buf said;    /* by the server, and not looked at yet */
	struct buf log;     /* events, a line each */
	void (*asks)(struct host *host, const struct smtp_server_event *event); /* code is set */
	void (*taken)(struct host *host); /* END was accepted; content is there */
	void *user;
};

static inline void host_init(struct host *host, const struct smtp_server_params *params)
{
	memset(host, 0, sizeof(*host));
	memset(&host->server, 0xa5, sizeof(host->server)); /* init must not rely on zeroes */
	host->now_ns = HOST_START_NS;
	host->params = *params;
	buf_init(&host->content, 64u << 20);
	buf_init(&host->held, 64u << 20);
	buf_init(&host->said, 64u << 20);
	buf_init(&host->log, 64u << 20);
	smtp_server_init(&host->server, &host->params);
}

static inline void host_done(struct host *host)
{
	buf_done(&host->content);
	buf_done(&host->held);
	buf_done(&host->said);
	buf_done(&host->log);
}

static inline void host_end_mail(struct host *host)
{
	host->in_mail = false;
	host->recipients = 0;
	buf_reset(&host->content);
}

static inline u32 host_code(struct slice local)
{
	if (slice_has_prefix_nocase(local, SLICE("no")))
		return 550;
	if (slice_has_prefix_nocase(local, SLICE("later")))
		return 451;
	return slice_has_prefix_nocase(local, SLICE("gone")) ? 421 : 250;
}

/* A clean text: what a caller may rely on. */
static inline void host_check_content(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		host_check(s.ptr[i] != '\0', "NUL in the content");
		host_check(s.ptr[i] != '\n' || (i > 0 && s.ptr[i - 1] == '\r'), "bare LF");
		host_check(s.ptr[i] != '\r' || (i + 1 < s.len && s.ptr[i + 1] == '\n'), "bare CR");
	}
}

static inline void host_on_mail(struct host *host, const struct smtp_mail *mail)
{
	host_check(!host->in_mail, "MAIL within a transaction");
	buf_add_format(&host->log, "MAIL <%.*s>", SLICE_FMT(mail->from.path));
	if (mail->size > 0)
		buf_add_format(&host->log, " size %llu", (unsigned long long)mail->size);
	if (mail->eightbit)
		buf_add_text(&host->log, " 8bit");
	if (mail->utf8)
		buf_add_text(&host->log, " utf8");
	if (mail->ret)
		buf_add_text(&host->log, mail->ret == SMTP_RETURN_FULL ? " full" : " headers");
	if (mail->envid.len > 0)
		buf_add_format(&host->log, " envid %.*s", SLICE_FMT(mail->envid));
	host->code = host_code(mail->from.local);
}

static inline void host_on_rcpt(struct host *host, const struct smtp_rcpt *rcpt)
{
	host_check(host->in_mail, "RCPT without MAIL");
	host_check(rcpt->to.path.len > 0, "RCPT to nobody");
	buf_add_format(&host->log, "RCPT <%.*s>", SLICE_FMT(rcpt->to.path));
	if (rcpt->notify)
		buf_add_format(&host->log, " notify %u", rcpt->notify);
	if (rcpt->orcpt.len > 0)
		buf_add_format(&host->log, " orcpt %.*s", SLICE_FMT(rcpt->orcpt));
	host->code = host_code(rcpt->to.local);
}

static inline void host_on_end(struct host *host, u64 size)
{
	struct slice content = buf_slice(&host->content);

	host_check(host->in_mail && host->recipients > 0, "END without a recipient");
	host_check(size == content.len, "END's size is not the content's");
	host_check_content(content);
	buf_add_format(&host->log, "END %llu", (unsigned long long)size);
	host->code = slice_has_prefix(content, SLICE("refuse")) ? 554 :
		     slice_has_prefix(content, SLICE("defer"))	? 452 : 250;
}

static inline void host_answer(struct host *host)
{
	enum smtp_server_event_type asked = (enum smtp_server_event_type)host->server.asked;
	bool good = host->code == 250;

	host_check(host->asked, "no question");
	host->asked = false;
	if (good && asked == SMTP_SERVER_END && host->taken)
		host->taken(host);
	if (asked == SMTP_SERVER_END)
		host_end_mail(host);
	host->in_mail = host->in_mail || (good && asked == SMTP_SERVER_MAIL);
	host->recipients += good && asked == SMTP_SERVER_RCPT;
	if (good)
		smtp_server_accept(&host->server, host->now_ns);
	else
		smtp_server_refuse(&host->server, host->code, SLICE("x.0.0 no\r\n250 ok"),
				   host->now_ns);
}

static inline void host_on_event(struct host *host, const struct smtp_server_event *event)
{
	host_check(!host->over, "event behind CLOSE");
	host_check(!host->asked, "event before the answer");
	switch (event->type) {
	case SMTP_SERVER_HELLO:
		buf_add_format(&host->log, "%s %.*s\n", event->esmtp ? "EHLO" : "HELO",
			       SLICE_FMT(event->text));
		host_end_mail(host);
		return;
	case SMTP_SERVER_CONTENT:
		host_check(host->in_mail && host->recipients > 0, "CONTENT without a recipient");
		host_check(event->text.len > 0, "CONTENT of nothing");
		buf_add_slice(&host->content, event->text);
		host_check(host->content.len <= host->params.size_max, "more than the limit");
		return;
	case SMTP_SERVER_RESET:
	case SMTP_SERVER_START_TLS:
		host->wants_tls = event->type == SMTP_SERVER_START_TLS;
		host_check(host->in_mail || host->wants_tls, "RESET of nothing");
		buf_add_text(&host->log, host->wants_tls ? "TLS\n" : "RESET\n");
		host_end_mail(host);
		return;
	case SMTP_SERVER_CLOSE:
		buf_add_format(&host->log, "CLOSE %s\n", smtp_server_why_name(event->why));
		host->why = event->why;
		host->over = true;
		host_end_mail(host);
		return;
	case SMTP_SERVER_MAIL:
		host_on_mail(host, &event->mail);
		break;
	case SMTP_SERVER_RCPT:
		host_on_rcpt(host, &event->rcpt);
		break;
	case SMTP_SERVER_END:
		host_on_end(host, event->size);
		break;
	case SMTP_SERVER_AUTH:
		buf_add_format(&host->log, "AUTH %.*s %.*s %.*s",
			       SLICE_FMT(event->credentials.authorize),
			       SLICE_FMT(event->credentials.name),
			       SLICE_FMT(event->credentials.password));
		host->code = slice_has_prefix(event->credentials.password, SLICE("bad")) ? 535 : 250;
		break;
	}
	buf_add_text(&host->log, "\n");
	if (host->asks)
		host->asks(host, event);
	host->asked = true;
	if (!host->answers_late)
		host_answer(host);
}

static inline void host_check_said(struct slice s)
{
	/* It may begin within a line, when an earlier one was sent in part. */
	host_check(s.ptr[s.len - 1] == '\n', "output without a line end");
	for (size_t i = 0; i < s.len; i++)
		host_check((s.ptr[i] >= ' ' && s.ptr[i] <= '~') ||
				   (s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n') ||
				   (s.ptr[i] == '\n' && (i == 0 || s.ptr[i - 1] == '\r')),
			   "output has a byte that may not stand there");
}

static inline void host_take_events(struct host *host)
{
	struct smtp_server_event event;
	u32 count = 0;

	while (smtp_server_next_event(&host->server, &event)) {
		host_check(++count < 1000000, "events do not end");
		host_on_event(host, &event);
	}
	host_check(!host->over || smtp_server_deadline(&host->server) == UINT64_MAX,
		   "a timeout runs behind CLOSE");
}

/* Gives out and tells as sent at most `max` bytes; false: there is nothing to send. */
static inline bool host_send_once(struct host *host, size_t max)
{
	struct slice out = smtp_server_output(&host->server);

	if (out.len == 0)
		return false;
	host_check_said(out);
	out = slice_first(out, max);
	buf_add_slice(&host->said, out);
	smtp_server_sent(&host->server, out.len, host->now_ns);
	host_take_events(host);
	return true;
}

static inline void host_send(struct host *host)
{
	while (host_send_once(host, SIZE_MAX))
		;
}

/* Puts back what is not read, in front of what may be held already. */
static inline void host_hold(struct host *host)
{
	struct slice unread = smtp_server_take_unread(&host->server);
	struct buf old = host->held;

	if (unread.len == 0)
		return;
	buf_init(&host->held, 64u << 20);
	buf_add_slice(&host->held, unread);
	buf_add_slice(&host->held, buf_slice(&old));
	buf_done(&old);
}

/* One packet; the copy has its exact size, so that reading beyond it is caught. */
static inline void host_packet(struct host *host, struct slice bytes)
{
	struct buf input = host->held;
	char *copy;

	buf_add_slice(&input, bytes);
	buf_init(&host->held, 64u << 20);
	copy = malloc(input.len + 1);
	if (input.len > 0)
		memcpy(copy + 1, input.ptr, input.len);
	smtp_server_receive(&host->server, (struct slice){ copy + 1, input.len }, host->now_ns);
	host_take_events(host);
	host_hold(host);
	free(copy);
	buf_done(&input);
}

/* Goes on with what was held, until nothing moves any more. */
static inline void host_go_on(struct host *host)
{
	size_t held = SIZE_MAX;

	while (!host->over && !host->wants_tls && (host->asked || host->held.len < held)) {
		held = host->asked ? SIZE_MAX : host->held.len;
		if (host->asked)
			host_answer(host);
		host_take_events(host);
		host_packet(host, SLICE_NONE);
	}
}

static inline void host_start(struct host *host, bool tls)
{
	smtp_server_start(&host->server, tls, host->now_ns);
	host_take_events(host);
}

/* The handshake, which what is held belongs to, is good. */
static inline void host_tls(struct host *host)
{
	host->wants_tls = false;
	buf_reset(&host->held);
	smtp_server_tls_started(&host->server, host->now_ns);
	host_take_events(host);
}

static inline void host_wait(struct host *host, u64 ms)
{
	host->now_ns += ms * NS_PER_MS;
	if (smtp_server_deadline(&host->server) > host->now_ns)
		return;
	smtp_server_tick(&host->server, host->now_ns);
	host_take_events(host);
}

static inline void host_closed(struct host *host)
{
	smtp_server_closed(&host->server, host->now_ns);
	host->asked = false;
	host_take_events(host);
	host_check(host->over, "closed, but no CLOSE");
	host_check(smtp_server_output(&host->server).len == 0, "output behind CLOSE");
}

#endif
