/*
 * What the SMTP client costs: ns a message against a peer in memory that answers by fixed bytes,
 * no sockets and no copies of content. One recipient, 8 KB in 12 pieces; the three ways to send.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "smtp/client.h"

#include <stdio.h>
#include <string.h>

#define MESSAGES 1000000
#define PIECES 12
#define RESET "250 2.0.0 Ok\r\n" /* to the RSET in front of all messages behind BDAT but the first */

struct way {
	const char *name;
	const char *ehlo;
	u32 depth;
	u32 turns; /* packets from the peer for one message */
	u32 skip;  /* bytes of the very first packet that are not said */
	const char *packets[4];
};

static const struct way ways[] = {
	{ "BDAT, 8 overlapped", "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", 8, 1, sizeof(RESET) - 1,
	  { RESET "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued\r\n" } },
	{ "DATA, 2 overlapped", "250-mx\r\n250 PIPELINING\r\n", 2, 2, 0,
	  { "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End with <CRLF>.<CRLF>\r\n",
	    "250 2.0.0 Ok: queued\r\n" } },
	{ "DATA, one command at a time", "250 mx\r\n", 1, 4, 0,
	  { "250 2.1.0 Ok\r\n", "250 2.1.5 Ok\r\n", "354 End with <CRLF>.<CRLF>\r\n",
	    "250 2.0.0 Ok: queued\r\n" } },
};

struct load {
	struct smtp_client client;
	struct smtp_transaction transactions[SMTP_DEPTH_MAX];
	struct smtp_recipient recipients[SMTP_DEPTH_MAX];
	u32 unused[SMTP_DEPTH_MAX];
	u32 unused_count;
	u32 given;
	u32 done;
	u32 accepted;
	u64 bytes;
};

static void load_init(struct load *load, const struct piece *pieces, u64 size)
{
	memset(load, 0, sizeof(*load));
	for (u32 i = 0; i < SMTP_DEPTH_MAX; i++) {
		load->recipients[i].address = SLICE("somebody.or.other@example.test");
		load->transactions[i] = (struct smtp_transaction){
			.sender = SLICE("bounce-0123456789abcdef@news.example.test"),
			.recipients = &load->recipients[i],
			.recipient_count = 1,
			.pieces = pieces,
			.piece_count = PIECES,
			.size = size,
		};
		load->unused[load->unused_count++] = i;
	}
}

static void take_events(struct load *load)
{
	struct smtp_event event;

	while (smtp_client_next_event(&load->client, &event)) {
		if (event.type == SMTP_EVENT_DONE) {
			load->unused[load->unused_count++] =
				(u32)(event.transaction - load->transactions);
			load->done++;
		} else if (event.type == SMTP_EVENT_RECIPIENT) {
			load->accepted += event.transaction->recipients[event.recipient].verdict ==
					  SMTP_VERDICT_ACCEPTED;
		}
	}
}

static void say(struct load *load, const char *text)
{
	smtp_client_receive(&load->client, slice_of(text), 0);
	take_events(load);
}

static void fill(struct load *load)
{
	struct iovec iov[256];
	struct smtp_output output = { .iov = iov, .iov_max = array_count(iov) };

	while (load->given < MESSAGES && smtp_client_may_give(&load->client)) {
		u32 at = load->unused[--load->unused_count];

		smtp_client_give(&load->client, &load->transactions[at], 0);
		load->given++;
	}
	while (smtp_client_output(&load->client, &output)) {
		load->bytes += output.bytes;
		smtp_client_sent(&load->client, output.bytes, 0);
		take_events(load);
	}
}

static void measure(const struct way *way, const struct piece *pieces, u64 size)
{
	struct smtp_client_params params = { .ehlo_name = SLICE("mail.example.test"),
					     .depth = way->depth,
					     .capability_mask = ~0u };
	static struct load load;
	u64 start;

	load_init(&load, pieces, size);
	smtp_client_init(&load.client, &params);
	smtp_client_start(&load.client, 0);
	say(&load, "220 mx\r\n");
	fill(&load);
	say(&load, way->ehlo);
	start = clock_mono_ns();
	while (load.done < MESSAGES) {
		fill(&load);
		for (u32 i = 0; i < way->turns; i++) {
			say(&load, way->packets[i] + (load.done == 0 ? way->skip : 0));
			if (i + 1 < way->turns)
				fill(&load);
		}
	}
	ASSERT(load.accepted == MESSAGES);
	printf("%-28s %6.0f ns a message\n", way->name,
	       (double)(clock_mono_ns() - start) / MESSAGES);
}

int main(void)
{
	static char text[PIECES][683];
	struct piece pieces[PIECES];

	for (u32 i = 0; i < PIECES; i++) {
		memset(text[i], 'x', sizeof(text[i]));
		memcpy(text[i] + sizeof(text[i]) - 3, "\r\n", 2);
		pieces[i] = (struct piece){ text[i], sizeof(text[i]) - 1, false };
	}
	printf("struct smtp_client: %zu bytes, struct smtp_transaction: %zu bytes\n",
	       sizeof(struct smtp_client), sizeof(struct smtp_transaction));
	for (u32 i = 0; i < array_count(ways); i++)
		measure(&ways[i], pieces, (u64)PIECES * (sizeof(text[0]) - 1));
	return 0;
}
