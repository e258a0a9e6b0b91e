/*
 * A model of a receiving SMTP server, written from the RFCs and sharing nothing with src/smtp. It takes
 * one command at a time, answers after a while, misbehaves as its host does, and keeps the ledger of
 * what it accepted. It also watches how the sender speaks: pipelining only where it was offered, CRLF
 * only, no content without a recipient.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sim_host *receiver_host(const struct sim_conn *conn)
{
	return &world->hosts[conn->site % SIM_SITES][conn->host % SIM_HOSTS];
}

/* The reply leaves after a while; nothing else is read before. */
static void answer(struct sim_conn *conn, enum sim_after after, const char *text)
{
	const struct sim_host *host = receiver_host(conn);

	snprintf(conn->held, sizeof(conn->held), "%s", text);
	conn->held_after = (u8)after;
	conn->held_at = world->mono_ns + 1 + sim_below(2 * NS_PER_MS);
	if (sim_chance(host->slow))
		conn->held_at += sim_below(20) == 0 ? sim_below(400 * NS_PER_S) : sim_below(5 * NS_PER_S);
}

static void reply(struct sim_conn *conn, const char *code, const char *enhanced, const char *words)
{
	char text[300];

	if (!(receiver_host(conn)->capabilities & HOST_ENHANCED) || !enhanced)
		enhanced = "";
	if (sim_below(10) == 0)
		snprintf(text, sizeof(text), "%s-%s some words\r\n%s %s %s\r\n", code, enhanced, code,
			 enhanced, words);
	else
		snprintf(text, sizeof(text), "%s %s %s\r\n", code, enhanced, words);
	answer(conn, AFTER_NOTHING, text);
}

/*
 * What the host does instead of its proper reply; true when it did. `final`: the message was accepted
 * already, so that a refusal would be a lie and only the ways to lose the reply are left.
 */
static bool misbehaves(struct sim_conn *conn, bool final)
{
	const struct sim_host *host = receiver_host(conn);

	if (!final && sim_chance(host->temporary))
		reply(conn, "451", "4.3.0", "not now");
	else if (!final && sim_chance(host->permanent))
		reply(conn, "554", "5.7.1", "never");
	else if (!final && sim_chance(host->says_421))
		answer(conn, sim_below(4) ? AFTER_CLOSE : AFTER_NOTHING, "421 4.3.2 going away\r\n");
	else if (sim_chance(host->closes))
		net_server_ends(conn, AFTER_CLOSE);
	else if (sim_chance(host->resets))
		net_server_ends(conn, AFTER_RESET);
	else if (sim_chance(host->half_closes))
		net_server_ends(conn, AFTER_HALF_CLOSE);
	else if (sim_chance(host->talks_nonsense))
		answer(conn, AFTER_NOTHING, sim_below(2) ? "hello?\r\n" : "999 \x01\xff\r\n");
	else if (sim_chance(host->stays_silent))
		conn->silent = true;
	else
		return false;
	return true;
}

void receiver_start(struct sim_conn *conn)
{
	if (!misbehaves(conn, false))
		reply(conn, "220", NULL, "h.example ESMTP");
	conn->input_at = conn->held_at ? conn->held_at : UINT64_MAX;
	if (conn->silent)
		conn->input_at = UINT64_MAX;
}

/* ---- the ledger ---- */

/* However wrong the sender's clock is: it knows that it was not made before it was made. */
static void check_date(const struct sim_conn *conn, u32 index)
{
	const char *date = strstr(conn->content, "\r\nDate: ");
	unsigned year;

	if (!date || sscanf(date, "\r\nDate: %*3s, %*u %*3s %u ", &year) != 1 || year < 2025)
		sim_fail("recipient %u: the message is of a day that cannot be", index);
}

static void check_content(struct sim_conn *conn, u32 index)
{
	struct sim_recipient *r = &world->recipients[index];
	char want[64];
	const char *id;

	conn->content[conn->content_len] = '\0';
	if (conn->content_len < 2 || memcmp(conn->content + conn->content_len - 2, "\r\n", 2) != 0)
		sim_fail("recipient %u: content was accepted that does not end a line", index);
	snprintf(want, sizeof(want), "r%u@d%u.example", index, r->domain);
	if (!strstr(conn->content, want))
		sim_fail("recipient %u was given a message to somebody else", index);
	snprintf(want, sizeof(want), "Subject: hi name-%u\r\n", index);
	if (!strstr(conn->content, want))
		sim_fail("recipient %u was given somebody else's values:\n%s", index, conn->content);
	if (!strstr(conn->content, "\r\n=2Edot\r\n=2E.dots\r\nend\r\n"))
		sim_fail("recipient %u: the text is not what was sent:\n%s", index, conn->content);
	check_date(conn, index);
	id = strcasestr(conn->content, "\r\nMessage-ID:");
	if (!id)
		sim_fail("recipient %u: no Message-ID", index);
	if (r->accepted == 0) {
		r->content = sim_hash(conn->content, conn->content_len);
		r->identity = sim_hash(id, strcspn(id + 2, "\r"));
	}
	if (r->identity != sim_hash(id, strcspn(id + 2, "\r")))
		sim_fail("recipient %u: a copy has another Message-ID", index);
	if (r->content != sim_hash(conn->content, conn->content_len))
		sim_fail("recipient %u: a copy has other bytes", index);
}

static void accept_message(struct sim_conn *conn)
{
	struct sim_recipient *r = &world->recipients[conn->recipient];

	check_content(conn, (u32)conn->recipient);
	r->accepted++;
	world->copies += r->accepted > 1;
	sim_trace("accepted", (u64)conn->recipient, r->accepted);
}

static void end_of_message(struct sim_conn *conn)
{
	const bool refuses = sim_chance(receiver_host(conn)->temporary);

	conn->phase = PHASE_COMMAND;
	if (conn->recipient < 0) {
		reply(conn, "554", "5.5.1", "no valid recipients");
	} else if (refuses) {
		reply(conn, "452", "4.3.1", "no space");
	} else if (sim_chance(3) && misbehaves(conn, false)) {
		/* Not accepted. */
	} else {
		accept_message(conn);
		if (!misbehaves(conn, true))
			reply(conn, "250", "2.0.0", "taken");
	}
	conn->recipient = -1;
	conn->has_mail = false;
	conn->content_len = 0;
	conn->chunk_bad = false;
}

/* ---- commands ---- */

static void on_ehlo(struct sim_conn *conn)
{
	const u8 caps = receiver_host(conn)->capabilities;
	char text[300];

	if (!(caps & HOST_ESMTP)) {
		reply(conn, "502", "5.5.1", "what?");
		return;
	}
	conn->greeted = true;
	snprintf(text, sizeof(text), "250-h.example\r\n%s%s%s%s250 SIZE 100000\r\n",
		 caps & HOST_PIPELINING ? "250-PIPELINING\r\n" : "",
		 caps & HOST_CHUNKING ? "250-CHUNKING\r\n" : "",
		 caps & HOST_ENHANCED ? "250-ENHANCEDSTATUSCODES\r\n" : "",
		 caps & HOST_8BIT ? "250-8BITMIME\r\n" : "");
	answer(conn, AFTER_NOTHING, text);
}

static void on_rcpt(struct sim_conn *conn, const char *line)
{
	const char *at = strchr(line, '<');
	struct sim_recipient *r;
	unsigned index;
	unsigned domain;

	if (!at || sscanf(at, "<r%u@d%u.example>", &index, &domain) != 2 ||
	    index >= world->recipient_count || world->recipients[index].domain != domain)
		sim_fail("RCPT for nobody we know: %s", line);
	r = &world->recipients[index];
	if (!conn->has_mail) {
		reply(conn, "503", "5.5.1", "MAIL first");
	} else if (r->refused) {
		reply(conn, "550", "5.1.1", "no such user");
	} else if (r->greylisted > 0 && !world->healed) {
		r->greylisted--;
		reply(conn, "450", "4.2.0", "greylisted");
	} else {
		conn->recipient = (i32)index;
		reply(conn, "250", "2.1.5", "ok");
	}
}

static void on_data(struct sim_conn *conn)
{
	if (conn->recipient < 0 && sim_below(5) > 0) {
		reply(conn, conn->has_mail ? "554" : "503", "5.5.1", "no valid recipients");
		return;
	}
	conn->phase = PHASE_DATA;
	conn->content_len = 0;
	reply(conn, "354", NULL, "go on");
}

static void on_bdat(struct sim_conn *conn, const char *line)
{
	char last[8] = "";

	if (!(receiver_host(conn)->capabilities & HOST_CHUNKING))
		sim_fail("BDAT where CHUNKING was not offered");
	if (sscanf(line + 5, "%u %7s", &conn->chunk_left, last) < 1)
		sim_fail("bad BDAT: %s", line);
	conn->chunk_last = strcasecmp(last, "LAST") == 0;
	conn->chunk_bad |= conn->recipient < 0;
	conn->phase = PHASE_CHUNK;
}

static void on_mail(struct sim_conn *conn)
{
	if (!conn->greeted || conn->has_mail) {
		reply(conn, "503", "5.5.1", "bad sequence of commands");
		return;
	}
	conn->has_mail = true;
	conn->recipient = -1;
	reply(conn, "250", "2.1.0", "ok");
}

static bool is(const char *line, const char *verb)
{
	return strncasecmp(line, verb, strlen(verb)) == 0;
}

static void on_line(struct sim_conn *conn, const char *line)
{
	if (is(line, "BDAT ")) {
		on_bdat(conn, line);
		return;
	}
	if (!is(line, "QUIT") && misbehaves(conn, false))
		return;
	if (is(line, "EHLO ")) {
		on_ehlo(conn);
	} else if (is(line, "HELO ")) {
		conn->greeted = true;
		reply(conn, "250", NULL, "h.example");
	} else if (is(line, "MAIL FROM:<")) {
		on_mail(conn);
	} else if (is(line, "RCPT TO:<")) {
		on_rcpt(conn, line);
	} else if (is(line, "DATA")) {
		on_data(conn);
	} else if (is(line, "RSET")) {
		conn->has_mail = false;
		conn->recipient = -1;
		conn->chunk_bad = false;
		conn->content_len = 0;
		reply(conn, "250", "2.0.0", "ok");
	} else if (is(line, "QUIT")) {
		answer(conn, AFTER_CLOSE, "221 bye\r\n");
	} else {
		sim_fail("the sender said: %s", line);
	}
}

/* ---- bytes ---- */

/* A whole line in front of what was seen, without its CRLF; false: not there yet. */
static bool take_line(struct sim_conn *conn, char *line, size_t size)
{
	const char *end = memmem(conn->c2s, conn->c2s_seen, "\r\n", 2);
	size_t len;

	if (!end)
		return false;
	len = (size_t)(end - conn->c2s);
	if (len >= size || memchr(conn->c2s, '\n', len) || memchr(conn->c2s, '\r', len))
		sim_fail("a line of %zu bytes, or with a bare CR or LF", len);
	memcpy(line, conn->c2s, len);
	line[len] = '\0';
	net_consume(conn, (u32)len + 2);
	return true;
}

static void keep(struct sim_conn *conn, const char *bytes, u32 len)
{
	if (conn->content_len + len >= SIM_CONTENT_MAX)
		sim_fail("a message of more than %d bytes", SIM_CONTENT_MAX);
	memcpy(conn->content + conn->content_len, bytes, len);
	conn->content_len += len;
}

static bool take_data(struct sim_conn *conn)
{
	char line[1100];

	if (!take_line(conn, line, sizeof(line)))
		return false;
	if (strcmp(line, ".") == 0) {
		end_of_message(conn);
		return true;
	}
	keep(conn, line + (line[0] == '.'), (u32)strlen(line + (line[0] == '.')));
	keep(conn, "\r\n", 2);
	return true;
}

static bool take_chunk(struct sim_conn *conn)
{
	u32 len = min_u32(conn->chunk_left, conn->c2s_seen);

	if (len == 0 && conn->chunk_left > 0)
		return false;
	keep(conn, conn->c2s, len);
	conn->chunk_left -= len;
	net_consume(conn, len);
	if (conn->chunk_left > 0)
		return true;
	conn->phase = PHASE_COMMAND;
	if (conn->chunk_bad) {
		conn->content_len = 0;
		conn->chunk_bad = !conn->chunk_last;
		if (conn->chunk_last)
			conn->has_mail = false;
		reply(conn, "503", "5.5.1", "no valid recipients");
	} else if (conn->chunk_last) {
		end_of_message(conn);
	} else if (misbehaves(conn, false)) {
		conn->chunk_bad = true;
	} else {
		reply(conn, "250", "2.0.0", "more");
	}
	return true;
}

static bool take_command(struct sim_conn *conn)
{
	char line[1100];

	if (!take_line(conn, line, sizeof(line)))
		return false;
	/* RFC 2920: nothing may follow a command where PIPELINING was not offered; BDAT has its chunk. */
	if (conn->c2s_len > 0 && !is(line, "BDAT ") &&
	    (receiver_host(conn)->capabilities & (HOST_PIPELINING | HOST_ESMTP)) !=
		    (HOST_PIPELINING | HOST_ESMTP))
		sim_fail("pipelined where it was not offered: %s", line);
	sim_trace(line, (u64)(conn - world->conns), 0);
	on_line(conn, line);
	return true;
}

void receiver_run(struct sim_conn *conn)
{
	bool more = true;

	while (more && conn->server_open && !conn->silent) {
		if (conn->held_at) {
			const enum sim_after after = conn->held_after;

			if (conn->held_at > world->mono_ns)
				return;
			conn->held_at = 0;
			conn->held_after = AFTER_NOTHING;
			net_say(conn, conn->held, strlen(conn->held));
			net_server_ends(conn, after);
			continue;
		}
		if (conn->phase == PHASE_DATA)
			more = take_data(conn);
		else if (conn->phase == PHASE_CHUNK)
			more = take_chunk(conn);
		else
			more = take_command(conn);
	}
}
