/* Content: dots, line ends, smuggling, chunks, and the size limit (100 bytes in these dialogues). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/dialogue.h"

#define ENVELOPE                                                                                   \
	"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n", "250 2.1.0 ok\n250 2.1.5 ok\n"
#define OPEN                                                                                       \
	"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",                                  \
		"250 2.1.0 ok\n250 2.1.5 ok\n354 go on, end with a dot\n"
#define OPENED "EHLO c.test\nMAIL <a@x.test>\nRCPT <b@y.test>\n"
#define BARE "550 5.6.0 bare CR or LF in the content\n"
#define SIXTY "12345678\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n12345678\r\n"

static void only_a_dot_between_crlfs_ends_data(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "LF . LF, and an envelope behind it (CVE-2023-51764)",
		  .turns = { EHLO, OPEN, "x\r\n\n.\nMAIL FROM:<evil@x.test>\r\n.\r\n", BARE,
			     "NOOP\r\n", "" },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "LF . CR LF (CVE-2023-51765)",
		  .turns = { EHLO, OPEN, "x\n.\r\nMAIL FROM:<evil@x.test>\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "CR LF . LF (CVE-2023-51766)",
		  .turns = { EHLO, OPEN, "x\r\n.\nMAIL FROM:<evil@x.test>\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "CR LF . CR",
		  .turns = { EHLO, OPEN, "x\r\n.\rMAIL FROM:<evil@x.test>\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "CR . CR",
		  .turns = { EHLO, OPEN, "x\r.\rMAIL FROM:<evil@x.test>\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "CR CR LF . CR CR LF",
		  .turns = { EHLO, OPEN, "x\r\r\n.\r\r\nMAIL FROM:<evil@x.test>\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "CR LF . CR CR LF at the end, and what behind it is still content",
		  .turns = { EHLO, OPEN, "x\r\n.\r\r\n.\r\n", BARE, "NOOP\r\n", "" },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "a bare LF in the last line",
		  .turns = { EHLO, OPEN, "x\ny\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "in a command",
		  .turns = { EHLO, "NOOP\nMAIL FROM:<a@x.test>\r\n", "500 5.5.2 bare CR or LF\n" },
		  .events = "EHLO c.test\nCLOSE bare CR or LF\n" },
		{ .name = "a CR within a command",
		  .turns = { EHLO, "MAIL FROM:<a@x.test>\rRCPT TO:<b@y.test>\r\n",
			     "500 5.5.2 bare CR or LF\n" },
		  .events = "EHLO c.test\nCLOSE bare CR or LF\n" },
		{ .name = "two CRs at the end of a command",
		  .turns = { EHLO, "NOOP\r\r\n", "500 5.5.2 bare CR or LF\n" },
		  .events = "EHLO c.test\nCLOSE bare CR or LF\n" },
	};

	(void)state;
	dialogues_run(table);
}

/* The content itself, for every cut. */
static void dots_are_taken_off_where_they_were_put_on(void **state)
{
	static const struct {
		struct slice wire;
		struct slice content;
	} cases[] = {
		{ SLICE(".\r\n"), SLICE("") },
		{ SLICE("..\r\n.\r\n"), SLICE(".\r\n") },
		{ SLICE("...\r\n.\r\n"), SLICE("..\r\n") },
		{ SLICE("..a\r\nb.\r\n.c\r\n.\r\n"), SLICE(".a\r\nb.\r\nc\r\n") },
		{ SLICE("a\r\n\r\n..\r\n\r\n.\r\n"), SLICE("a\r\n\r\n.\r\n\r\n") },
		{ SLICE("a.\r\n. .\r\n.\r\n"), SLICE("a.\r\n .\r\n") },
		{ SLICE("\r\n.\r\n"), SLICE("\r\n") },
		{ SLICE("\xff\xfe\x01\t\x7f\r\n.\r\n"), SLICE("\xff\xfe\x01\t\x7f\r\n") },
	};

	(void)state;
	for (u32 i = 0; i < array_count(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].wire.len; cut++) {
			struct smtp_server_params params = dialogue_params(PORT_MX);
			struct host host;

			host_init(&host, &params);
			host.answers_late = true;
			host_start(&host, false);
			host_send(&host);
			host_packet(&host, SLICE("HELO c\r\n"));
			host_send(&host);
			host_packet(&host,
				    SLICE("MAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n"));
			dialogue_settle(&host);
			/* cut 0: byte by byte */
			for (size_t at = 0; at < cases[i].wire.len;) {
				struct slice rest = slice_from(cases[i].wire, at);
				size_t len = cut == 0 ? 1 : at == 0 ? cut : rest.len;

				host_packet(&host, slice_first(rest, len));
				at += len;
			}
			assert_true(host.asked);
			assert_int_equal(host.server.asked, SMTP_SERVER_END);
			assert_int_equal(host.content.len, cases[i].content.len);
			if (host.content.len > 0)
				assert_memory_equal(host.content.ptr, cases[i].content.ptr,
						    host.content.len);
			host_done(&host);
		}
	}
}

static void a_nul_is_refused_and_the_dialogue_goes_on(void **state)
{
	static const struct slice content = SLICE("a\0b\r\n.\r\nNOOP\r\n");

	(void)state;
	for (size_t cut = 1; cut < content.len; cut++) {
		struct smtp_server_params params = dialogue_params(PORT_MX);
		struct dialogue dialogue = { .name = "NUL" };
		struct host host;

		host_init(&host, &params);
		host_start(&host, false);
		host_send(&host);
		host_packet(&host, SLICE("HELO c\r\n"));
		host_send(&host);
		host_packet(&host, SLICE("NOOP \0\r\n"));
		host_packet(&host, SLICE("MAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n"));
		host_send(&host);
		buf_reset(&host.said);
		host_packet(&host, slice_first(content, cut));
		host_packet(&host, slice_from(content, cut));
		host_send(&host);
		dialogue_hear(&host, &dialogue, 0,
			      "554 5.6.0 NUL in the content\n250 2.0.0 ok\n");
		assert_string_equal(buf_text(&host.log),
				    "HELO c\nMAIL <>\nRCPT <b@y.test>\nRESET\n");
		assert_int_equal(host.server.errors, 2);
		host_done(&host);
	}
}

static void what_is_over_the_limit_is_read_to_its_end_and_refused(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "exactly the limit",
		  .turns = { EHLO, OPEN, SIXTY "12345678\r\n12345678\r\n12345678\r\n..2345678\r\n.\r\n",
			     "250 2.0.0 taken\n" },
		  .events = OPENED "END 100\nCLOSE closed\n" },
		{ .name = "one byte more, then the next message",
		  .turns = { EHLO, OPEN, SIXTY "12345678\r\n12345678\r\n12345678\r\n123456789\r\n.\r\n",
			     "552 5.3.4 message too large\n", OPEN, ".\r\n", "250 2.0.0 taken\n" },
		  .events = OPENED "RESET\nMAIL <a@x.test>\nRCPT <b@y.test>\nEND 0\nCLOSE closed\n" },
		{ .name = "over the limit, and a bare LF behind it",
		  .turns = { EHLO, OPEN, SIXTY SIXTY "x\ny\r\n.\r\n", BARE },
		  .events = OPENED "RESET\nCLOSE bare CR or LF\n" },
		{ .name = "more than twice the limit is not even read",
		  .turns = { EHLO, OPEN, SIXTY SIXTY SIXTY SIXTY,
			     "552 5.3.4 message too large\n" },
		  .events = OPENED "RESET\nCLOSE no SMTP\n" },
		{ .name = "a chunk over the limit, the one behind it, RSET",
		  .turns = { EHLO, ENVELOPE, "BDAT 60\r\n" SIXTY, "250 2.0.0 60 bytes\n",
			     "BDAT 60\r\n" SIXTY "BDAT 2 LAST\r\n\r\n",
			     "552 5.3.4 message too large\n552 5.3.4 message too large\n",
			     ENVELOPE, "BDAT 4 LAST\r\nhi\r\n", "250 2.0.0 taken\n" },
		  .events = OPENED "RESET\nMAIL <a@x.test>\nRCPT <b@y.test>\nEND 4\nCLOSE closed\n" },
		{ .name = "a chunk as large as a number can be",
		  .turns = { EHLO, ENVELOPE, "BDAT 18446744073709551615\r\n" SIXTY SIXTY SIXTY SIXTY,
			     "552 5.3.4 message too large\n" },
		  .events = OPENED "RESET\nCLOSE no SMTP\n" },
		{ .name = "a chunk whose length no number can be",
		  .turns = { EHLO, ENVELOPE, "BDAT 18446744073709551616\r\nNOOP\r\n",
			     "501 5.5.4 BDAT length [LAST]\n" },
		  .events = OPENED "CLOSE no SMTP\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void chunks_are_taken_by_their_count(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "one, pipelined, with lines that look like ends and commands",
		  .turns = { EHLO,
			     "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nBDAT 14 LAST\r\n"
			     ".\r\n\r\n.\r\nQUIT\r\nNOOP\r\n",
			     "250 2.1.0 ok\n250 2.1.5 ok\n250 2.0.0 taken\n250 2.0.0 ok\n" },
		  .events = OPENED "END 14\nCLOSE closed\n" },
		{ .name = "a CRLF in two chunks, an empty last one",
		  .turns = { EHLO, ENVELOPE, "BDAT 3\r\nhi\rBDAT 1\r\n\nBDAT 0 LAST\r\n",
			     "250 2.0.0 2 bytes\n250 2.0.0 4 bytes\n250 2.0.0 taken\n" },
		  .events = OPENED "END 4\nCLOSE closed\n" },
		{ .name = "nobody to take it",
		  .turns = { EHLO,
			     "MAIL FROM:<a@x.test>\r\nRCPT TO:<no@y.test>\r\nBDAT 6 LAST\r\nQUIT\r\n"
			     "NOOP\r\n",
			     "250 2.1.0 ok\n550 x.0.0 no??250 ok\n554 5.5.1 no valid recipients\n"
			     "250 2.0.0 ok\n",
			     ENVELOPE },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRCPT <no@y.test>\nRESET\n"
			    "MAIL <a@x.test>\nRCPT <b@y.test>\nCLOSE closed\n" },
		{ .name = "no MAIL at all",
		  .turns = { "BDAT 6 LAST\r\nQUIT\r\nBDAT 6\r\nQUIT\r\nNOOP\r\n",
			     "503 5.5.1 MAIL first\n503 5.5.1 MAIL first\n250 2.0.0 ok\n" },
		  .events = "CLOSE closed\n" },
		{ .name = "a failed chunk that is not the last keeps the transaction until RSET",
		  .turns = { EHLO, "MAIL FROM:<a@x.test>\r\nBDAT 6\r\nQUIT\r\n",
			     "250 2.1.0 ok\n554 5.5.1 no valid recipients\n", "RCPT TO:<b@y.test>\r\n",
			     "503 5.5.1 RCPT behind BDAT\n", "MAIL FROM:<a@x.test>\r\n",
			     "503 5.5.1 MAIL within a transaction\n", "RSET\r\n", "250 2.0.0 ok\n",
			     ENVELOPE },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRESET\nMAIL <a@x.test>\nRCPT <b@y.test>\n"
			    "CLOSE closed\n" },
		{ .name = "DATA and RCPT behind BDAT",
		  .turns = { EHLO, ENVELOPE, "BDAT 2\r\n\r\n", "250 2.0.0 2 bytes\n", "DATA\r\n",
			     "503 5.5.1 DATA behind BDAT\n", "RCPT TO:<b@y.test>\r\n",
			     "503 5.5.1 RCPT behind BDAT\n", "BDAT 0 LAST\r\n",
			     "250 2.0.0 taken\n" },
		  .events = OPENED "END 2\nCLOSE closed\n" },
		{ .name = "RSET between chunks",
		  .turns = { EHLO, ENVELOPE, "BDAT 2\r\n\r\nRSET\r\n",
			     "250 2.0.0 2 bytes\n250 2.0.0 ok\n", ENVELOPE },
		  .events = OPENED "RESET\nMAIL <a@x.test>\nRCPT <b@y.test>\nCLOSE closed\n" },
		{ .name = "bare LF and CR: refused, but nobody lost count",
		  .turns = { EHLO, ENVELOPE, "BDAT 3 LAST\r\na\nbNOOP\r\n", BARE "250 2.0.0 ok\n",
			     ENVELOPE, "BDAT 2 LAST\r\na\rNOOP\r\n", BARE "250 2.0.0 ok\n" },
		  .events = OPENED "RESET\nMAIL <a@x.test>\nRCPT <b@y.test>\nRESET\nCLOSE closed\n" },
		{ .name = "no length",
		  .turns = { EHLO, ENVELOPE, "BDAT LAST\r\n", "501 5.5.4 BDAT length [LAST]\n" },
		  .events = OPENED "CLOSE no SMTP\n" },
		{ .name = "a submission port reads the chunk, too",
		  .port = PORT_SUBMISSION,
		  .turns = { "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n",
			     "503 5.5.1 MAIL first\n250 2.0.0 ok\n" },
		  .events = "CLOSE closed\n" },
	};

	(void)state;
	dialogues_run(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_dot_between_crlfs_ends_data),
		cmocka_unit_test(dots_are_taken_off_where_they_were_put_on),
		cmocka_unit_test(a_nul_is_refused_and_the_dialogue_goes_on),
		cmocka_unit_test(what_is_over_the_limit_is_read_to_its_end_and_refused),
		cmocka_unit_test(chunks_are_taken_by_their_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
