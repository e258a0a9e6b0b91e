/*
 * Dialogues with the SMTP server as tables: what the client says and what it has to hear, in turn,
 * and the events that come of it all. Each is run whole, byte by byte, and with one cut at every
 * position of every turn; with answers at once and late; with replies sent at the turn's end and
 * (unless it is `early`) after every packet: never may anything depend on that.
 */
#ifndef TESTS_SMTP_DIALOGUE_H
#define TESTS_SMTP_DIALOGUE_H

#include "smtp/host.h"

#define DIALOGUE_TURNS 24
#define GREETING "220 mx.test ESMTP\n"
#define OFFERS                                                                                     \
	"250-mx.test\n250-PIPELINING\n250-SIZE 100\n250-8BITMIME\n250-SMTPUTF8\n"                  \
	"250-ENHANCEDSTATUSCODES\n250-CHUNKING\n250-DSN\n"
#define OFFERS_LAST "250 LIMITS RCPTMAX=3\n"
#define EHLO "EHLO c.test\r\n", OFFERS OFFERS_LAST
#define BYE "QUIT\r\n", "221 2.0.0 bye\n"

enum dialogue_port {
	PORT_MX,
	PORT_MX_TLS,
	PORT_SUBMISSION,
	PORT_SUBMISSION_TLS,
	PORT_SUBMISSION_CLEAR, /* of loopback */
};

struct dialogue {
	const char *name;
	enum dialogue_port port; /* the last one: through TLS from the start */
	bool early;              /* the client speaks out of turn */
	const char *turns[DIALOGUE_TURNS]; /* said with CRLF; heard, in each reply, with LF */
	const char *events;
};

/* How its bytes come and go. */
struct dialogue_way {
	bool bytewise;
	bool sends_at_once;
	bool answers_late;
	u32 cut_turn;
	size_t cut_at; /* 0: no cut */
};

static inline void dialogue_settle(struct host *host)
{
	size_t said;

	do {
		said = host->said.len;
		host_go_on(host);
		if (host->wants_tls)
			host_tls(host);
		host_send(host);
	} while (host->said.len > said || host->asked);
}

static inline void dialogue_feed(struct host *host, struct slice bytes,
				 const struct dialogue_way *way, size_t cut_at)
{
	while (bytes.len > 0 && !host->over) {
		size_t len = way->bytewise ? 1 : cut_at > 0 ? cut_at : bytes.len;
		struct slice packet = slice_first(bytes, len);

		host_packet(host, packet);
		bytes = slice_from(bytes, packet.len);
		cut_at = 0;
		if (way->sends_at_once)
			dialogue_settle(host);
	}
	dialogue_settle(host);
}

static inline void dialogue_hear(struct host *host, const struct dialogue *dialogue, u32 turn,
				 const char *want)
{
	char heard[8192];
	size_t len = 0;

	for (size_t i = 0; i < host->said.len; i++) {
		if (host->said.ptr[i] != '\r')
			heard[len++] = host->said.ptr[i];
	}
	heard[len] = '\0';
	host_check(strcmp(heard, want) == 0, "%s: turn %u: heard '%s', not '%s'", dialogue->name,
		   turn, heard, want);
	buf_reset(&host->said);
}

static inline struct smtp_server_params dialogue_params(enum dialogue_port port)
{
	struct smtp_server_params params = smtp_server_usual;

	params.host_name = SLICE("mx.test");
	params.size_max = 100;
	params.recipients_max = 3;
	params.tls_offered = port == PORT_MX_TLS || port == PORT_SUBMISSION ||
			     port == PORT_SUBMISSION_CLEAR;
	params.clear_auth = port == PORT_SUBMISSION_CLEAR;
	params.mode = port >= PORT_SUBMISSION ? SMTP_SERVER_SUBMISSION : SMTP_SERVER_MX;
	return params;
}

static inline void dialogue_run_way(const struct dialogue *dialogue,
				    const struct dialogue_way *way)
{
	struct smtp_server_params params = dialogue_params(dialogue->port);
	struct host host;

	host_init(&host, &params);
	host.answers_late = way->answers_late;
	host_start(&host, dialogue->port == PORT_SUBMISSION_TLS);
	/* Who speaks out of turn does not wait for the greeting either, if it says so. */
	if (!dialogue->early || dialogue->turns[0][0] == '\0') {
		host_send(&host);
		dialogue_hear(&host, dialogue, 0, GREETING);
	}
	for (u32 i = 0; i + 1 < DIALOGUE_TURNS && dialogue->turns[i]; i += 2) {
		dialogue_feed(&host, slice_of(dialogue->turns[i]), way,
			      i == way->cut_turn ? way->cut_at : 0);
		dialogue_hear(&host, dialogue, i, dialogue->turns[i + 1]);
	}
	if (!host.over)
		host_closed(&host);
	host_check(strcmp(buf_text(&host.log), dialogue->events) == 0,
		   "%s: events '%s', not '%s'", dialogue->name, buf_text(&host.log),
		   dialogue->events);
	host_done(&host);
}

static inline void dialogue_run(const struct dialogue *dialogue)
{
	for (u32 mode = 0; mode < 4; mode++) {
		struct dialogue_way way = { .sends_at_once = mode & 1, .answers_late = mode & 2 };

		if (dialogue->early && way.sends_at_once)
			continue;
		dialogue_run_way(dialogue, &way);
		way.bytewise = true;
		dialogue_run_way(dialogue, &way);
		way.bytewise = false;
		for (u32 i = 0; i + 1 < DIALOGUE_TURNS && dialogue->turns[i]; i += 2) {
			way.cut_turn = i;
			for (way.cut_at = 1; way.cut_at < strlen(dialogue->turns[i]); way.cut_at++)
				dialogue_run_way(dialogue, &way);
		}
	}
}

#define dialogues_run(table)                                                                       \
	do {                                                                                       \
		for (u32 d = 0; d < array_count(table); d++)                                       \
			dialogue_run(&(table)[d]);                                                 \
	} while (0)

#endif
