#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"
#include "console/lookup.h"
#include "dns/record_text.h"

#include <stdio.h>

/* ---- dig ---- */

static const char *trust_of(const struct question_answer *answer)
{
	if (answer->status == QUESTION_BOGUS)
		return "bogus";
	return answer->secure ? "secure" : "insecure";
}

static void print_json_answer(const struct question_answer *answer, u16 type)
{
	json_t *records = json_array();
	json_t *json;
	struct buf text;

	buf_init(&text, 64u << 10);
	for (size_t i = 0; i < answer->count; i++) {
		buf_reset(&text);
		record_text(&text, type, answer->records[i].bytes, answer->records[i].len);
		json_array_append_new(records, json_string(buf_text(&text)));
	}
	buf_done(&text);
	json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "name", answer->name, "type",
			 record_type_name(type), "status", question_status_text(answer->status),
			 "trust", trust_of(answer), "ttl", (json_int_t)answer->ttl_s, "why",
			 answer->why, "records", records);
	link_print_json(json);
	json_decref(json);
}

static void print_answer(const struct question_answer *answer, u16 type, u64 took_ms)
{
	struct buf text;

	buf_init(&text, 64u << 10);
	for (size_t i = 0; i < answer->count; i++) {
		buf_reset(&text);
		human_text(&text, slice_of(answer->name));
		buf_add_format(&text, ". %u IN %s ", answer->ttl_s, record_type_name(type));
		record_text(&text, type, answer->records[i].bytes, answer->records[i].len);
		puts(buf_text(&text));
	}
	buf_reset(&text);
	if (answer->why[0]) {
		buf_add_text(&text, ": ");
		human_text(&text, slice_of(answer->why));
	}
	printf("%s, %s, %u ms%s\n", question_status_text(answer->status), trust_of(answer),
	       (unsigned)took_ms, buf_text(&text));
	buf_done(&text);
}

int dig_run(struct console *console, int argc, char **argv)
{
	char name[QUESTION_NAME_SIZE];
	char reverse[QUESTION_REVERSE_SIZE];
	struct question_answer answer;
	struct net_address address;
	struct lookup_dns dns;
	struct error error;
	u64 begin_ns;
	u16 type;
	int words;
	int code;

	if (!console_options(console, NULL, 0, argc, argv, &words, &code))
		return code;
	/* dig itself takes either first. */
	if (words == 2 && record_type_of(slice_of(argv[0])) != 0 &&
	    record_type_of(slice_of(argv[1])) == 0) {
		char *first = argv[0];

		argv[0] = argv[1];
		argv[1] = first;
	}
	if (words < 1 || words > 2 || !lookup_name(argv[0], name))
		return console_fail(console, CONSOLE_USAGE, "say a name: dig example.jp MX");
	type = words == 2 ? record_type_of(slice_of(argv[1])) : RECORD_A;
	if (type == 0)
		return console_fail(console, CONSOLE_USAGE,
				    "\"%.32s\" is not A, AAAA, CAA, CNAME, DNSKEY, DS, MX, NS, "
				    "PTR, SOA, SRV, TLSA or TXT",
				    argv[1]);
	/* Who types an address wants to know its name. */
	if (net_address_parse(&address, slice_of(name), false)) {
		question_reverse(reverse, &address);
		slice_copy(name, sizeof(name), slice_of(reverse));
		type = RECORD_PTR;
	}
	if (!lookup_open(console, &dns, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	begin_ns = clock_mono_ns();
	question_ask(dns.asker, name, type, LOOKUP_TIMEOUT_MS, &answer);
	if (console->json)
		print_json_answer(&answer, type);
	else
		print_answer(&answer, type, (clock_mono_ns() - begin_ns) / NS_PER_MS);
	code = answer.status == QUESTION_OK ? CONSOLE_OK : CONSOLE_FAILED;
	question_answer_done(&answer);
	lookup_close(&dns);
	return code;
}

/* ---- mx ---- */

static void print_hosts(const struct console *console, const struct mx_answer *answer)
{
	static const char *const titles[] = { "pref", "host", "address", "" };
	struct table table;

	table_init(&table, stdout, titles, array_count(titles), 1);
	for (u32 i = 0; i < answer->host_count; i++) {
		const struct mx_host *host = &answer->hosts[i];

		for (u32 k = 0; k < host->address_count; k++) {
			char text[NET_ADDRESS_TEXT_SIZE];

			net_address_format(text, &answer->addresses[host->address_first + k],
					   false);
			if (console->json) {
				json_t *json = json_pack("{s:i, s:s, s:s, s:b}", "preference",
							 host->preference, "host", host->name,
							 "address", text, "secure", host->secure);

				link_print_json(json);
				json_decref(json);
				continue;
			}
			table_plain(&table, host->preference);
			table_text(&table, slice_of(host->name));
			table_text(&table, slice_of(text));
			table_text(&table, host->secure ? SLICE("secure") : SLICE("insecure"));
		}
	}
	table_done(&table);
}

int mx_run(struct console *console, int argc, char **argv)
{
	char name[QUESTION_NAME_SIZE];
	struct mx_answer answer;
	struct lookup_dns dns;
	struct error error;
	bool is_found;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	if (!lookup_name(argv[0], name))
		return console_fail(console, CONSOLE_USAGE, "\"%.64s\" is not a domain", argv[0]);
	if (!lookup_open(console, &dns, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	is_found = lookup_mx(&dns, name, &answer, &error);
	lookup_close(&dns);
	if (!is_found)
		return console_fail_error(console, CONSOLE_FAILED, &error);
	if (answer.status != MX_OK)
		return console_fail(console, CONSOLE_FAILED, "%s", answer.text);
	print_hosts(console, &answer);
	if (!console->json)
		printf("%s%s, for another %u s\n",
		       answer.implicit ? "no MX: the domain's own addresses, " : "",
		       answer.secure ? "secure" : "insecure", answer.ttl_s);
	return CONSOLE_OK;
}
