#include "console/records.h"

#include "base/net_address.h"
#include "base/text.h"

#include <string.h>

#define STRING_MAX 255
#define VALUE_MAX (16u << 10)

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

void records_print_txt(FILE *out, const char *name, struct slice value)
{
	struct buf line;

	buf_init(&line, VALUE_MAX);
	records_txt(&line, name, value);
	fprintf(out, "%s\n", buf_text(&line));
	/* One string: the form's own program cuts it. */
	if (value.len > STRING_MAX)
		fprintf(out, "  as one value for a provider's form:\n%.*s\n", SLICE_FMT(value));
	buf_done(&line);
}

static void print_addresses(FILE *out, const struct records *records)
{
	fputs("; This machine. In the zone of its name:\n", out);
	for (size_t i = 0; i < records->address_count; i++)
		fprintf(out, "%s. IN %s %s\n", records->hostname,
			is_v6(records->addresses[i]) ? "AAAA" : "A", records->addresses[i]);
	if (records->address_count == 0)
		fputs("; (no address is known yet)\n", out);
	for (size_t i = 0; i < records->address_count; i++) {
		struct net_address address;

		if (net_address_parse(&address, slice_of(records->addresses[i]), false) &&
		    net_address_is_special(&address))
			fprintf(out, ";   %s is not public: publish the one that it has outside\n",
				records->addresses[i]);
	}
	fputs("; Whoever the address is from (your provider) sets its name (PTR). Ask for:\n", out);
	for (size_t i = 0; i < records->address_count; i++)
		fprintf(out, ";   %s -> %s\n", records->addresses[i], records->hostname);
}

void records_print(FILE *out, const struct records *records)
{
	char name[300];
	struct buf value;

	buf_init(&value, VALUE_MAX);
	print_addresses(out, records);
	fputs("; Who may send mail of the domain (SPF). If there is such a record, add the\n"
	      "; ip4: and ip6: parts to it; a domain may have only one.\n", out);
	records_spf(records, &value);
	records_print_txt(out, records->domain, buf_slice(&value));
	fputs("; What receivers do with mail that is not signed by the domain (DMARC). Begin\n"
	      "; with p=none; p=quarantine or p=reject once the reports look good.\n", out);
	buf_reset(&value);
	records_dmarc(records, &value);
	snprintf(name, sizeof(name), "_dmarc.%s", records->domain);
	records_print_txt(out, name, buf_slice(&value));
	fputs("; Where bounces go. Only if the domain has no MX yet; if it has, mail to\n"
	      "; bounce-...@ must be taken there.\n", out);
	fprintf(out, "%s. IN MX 10 %s.\n", records->domain, records->hostname);
	buf_done(&value);
}
