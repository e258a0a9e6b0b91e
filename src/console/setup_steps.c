/*
 * The wizard's questions.
 */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/text.h"
#include "console/command.h"
#include "console/names.h"
#include "console/setup.h"

#include <stdio.h>

/* ---- names ---- */

static enum setup_result ask_hostname(struct setup *setup)
{
	const char *now = setup->appliance.hostname;

	setup_explain(
		"The name of this machine, with its domain, such as mail.example.jp. Receivers\n"
		"look it up: its address records (A, AAAA) and the address's own record (PTR)\n"
		"have to agree. `check identity` tells later whether they do.");
	for (;;) {
		enum setup_result result = setup_ask_option(setup, "Host name",
							    strchr(now, '.') ? now : NULL,
							    NAME_NONE, NULL, "hostname");

		if (result != SETUP_NEXT || strchr(setup->appliance.hostname, '.'))
			return result;
		puts("It needs its domain, too: a name with a dot.");
	}
}

static enum setup_result ask_domain(struct setup *setup)
{
	const char *dot = strchr(setup->appliance.hostname, '.');
	char fallback[256];
	enum setup_result result;

	slice_copy(fallback, sizeof(fallback), slice_of(*setup->domain ? setup->domain : dot + 1));
	setup_explain(
		"The domain that mail is sent for: the part behind the @ in From. More of them\n"
		"can be added later, by `config replace`.");
	result = setup_ask_option(setup, "Mail domain", fallback, NAME_NONE, NULL, "domain");
	if (result == SETUP_NEXT)
		slice_copy(setup->domain, sizeof(setup->domain),
			   slice_of(setup->appliance.domain ? setup->appliance.domain : fallback));
	return result;
}

/* ---- network ---- */

static enum setup_result ask_static(struct setup *setup, const char *name)
{
	static const struct {
		const char *question;
		const char *option;
		const char *fallback;
	} questions[] = {
		{ "Addresses (192.0.2.10/24,2001:db8::10/64)", "addresses", NULL },
		{ "Gateway (IPv4, or none)", "gateway", "none" },
		{ "Gateway (IPv6, or none: router advertisements)", "gateway6", "none" },
	};
	u32 at = 0;

	while (at < array_count(questions)) {
		enum setup_result result = setup_ask_option(setup, questions[at].question,
							    questions[at].fallback, NAME_NONE, name,
							    questions[at].option);

		if (result == SETUP_QUIT || (result == SETUP_BACK && at == 0))
			return result;
		at = result == SETUP_NEXT ? at + 1 : at - 1;
	}
	return SETUP_NEXT;
}

static const char *method_of(struct setup *setup, const char *name)
{
	const struct appliance_interface *interface = appliance_find(&setup->appliance, name);

	if (!interface)
		return setup->interface_count == 1 || setup->appliance.interface_count == 0
			       ? "dhcp"
			       : "none";
	return interface->method == APPLIANCE_STATIC    ? "static"
	       : interface->method == APPLIANCE_NO_IPV4 ? "none"
							: "dhcp";
}

static enum setup_result ask_interface(struct setup *setup, const char *name)
{
	char question[64];
	struct error error;
	enum setup_result result;
	const char *fallback = method_of(setup, name);

	if (!appliance_interface(&setup->appliance, APPLIANCE_ETHERNET, name, &error)) {
		printf("%s.\n", error.text);
		return SETUP_QUIT;
	}
	for (;;) {
		snprintf(question, sizeof(question), "%s: dhcp, static or none", name);
		result = setup_ask_option(setup, question, fallback, NAME_NONE, name, "method");
		if (result != SETUP_NEXT)
			return result;
		if (strcmp(method_of(setup, name), "static") != 0)
			return SETUP_NEXT;
		result = ask_static(setup, name);
		if (result != SETUP_BACK)
			return result;
	}
}

static bool is_any_static(const struct setup *setup)
{
	for (size_t i = 0; i < setup->appliance.interface_count; i++) {
		if (setup->appliance.interfaces[i].method == APPLIANCE_STATIC)
			return true;
	}
	return false;
}

static enum setup_result ask_network(struct setup *setup)
{
	struct error error;
	u32 at = 0;

	setup_explain(
		"The network. dhcp takes an address from the network, static is told one (that is\n"
		"usual for a sender: receivers know it by its address), none leaves the\n"
		"interface without IPv4. Several addresses are separated by commas; the first\n"
		"of each kind is the machine's.");
	while (at < setup->interface_count) {
		enum setup_result result = ask_interface(setup, setup->interfaces[at]);

		if (result == SETUP_QUIT || (result == SETUP_BACK && at == 0))
			return result;
		at = result == SETUP_NEXT ? at + 1 : at - 1;
		if (at == setup->interface_count && !appliance_check(&setup->appliance, &error)) {
			printf("%s.\n", error.text);
			at = 0;
		}
	}
	if (!is_any_static(setup))
		return SETUP_NEXT;
	setup_explain(
		"Name servers, for what the machine itself looks up (time servers); addresses\n"
		"separated by commas. The sender asks the roots by itself. none: those of DHCP.");
	return setup_ask_option(setup, "Name servers", "none", NAME_NONE, NULL, "resolvers");
}

/* ---- time, key ---- */

static enum setup_result ask_zone(struct setup *setup)
{
	char answer[SETUP_TEXT_MAX];
	struct error error;

	setup_explain(
		"The time zone, such as Asia/Tokyo; Tab completes. Logs and mail headers have\n"
		"universal time all the same.");
	for (;;) {
		enum setup_result result = setup_ask(setup, "Time zone", setup->appliance.time_zone,
						     NAME_ZONE, answer);

		if (result != SETUP_NEXT)
			return result;
		if (names_is_zone(answer) &&
		    appliance_set(&setup->appliance, NULL, "time-zone", slice_of(answer), &error))
			return SETUP_NEXT;
		printf("There is no time zone %s.\n", answer);
	}
}

void setup_fingerprint(const char *key, char out[SETUP_FINGERPRINT_SIZE])
{
	struct slice rest = slice_of(key);
	struct slice blob;
	struct sha256 hash;
	u8 bytes[2048];
	u8 digest[SHA256_SIZE];
	char text[64];
	size_t len;

	out[0] = '\0';
	(void)slice_split(&rest, ' ');
	blob = rest.ptr ? slice_split(&rest, ' ') : SLICE("");
	if (blob.len == 0 || !base64_decode(bytes, sizeof(bytes), &len, blob))
		return;
	sha256_init(&hash);
	sha256_add(&hash, bytes, len);
	sha256_finish(&hash, digest);
	len = base64_encode(text, digest, sizeof(digest));
	while (len > 0 && text[len - 1] == '=')
		len--;
	snprintf(out, SETUP_FINGERPRINT_SIZE, "SHA256:%.*s", (int)len, text);
}

static enum setup_result ask_key(struct setup *setup)
{
	const char *fallback =
		setup->appliance.ssh_keys.count > 0 ? setup->appliance.ssh_keys.items[0] : NULL;
	char fingerprint[SETUP_FINGERPRINT_SIZE];
	enum setup_result result;

	setup_explain(
		"The public key of whoever administers this machine by ssh, as user admin: one\n"
		"line, such as that of ~/.ssh/id_ed25519.pub. There are no passwords. none: ssh\n"
		"stays off, and this console is the only way in.");
	result = setup_ask_option(setup, "ssh public key", fallback, NAME_NONE, "ssh", "keys");
	if (result != SETUP_NEXT || setup->appliance.ssh_keys.count == 0)
		return result;
	setup_fingerprint(setup->appliance.ssh_keys.items[0], fingerprint);
	printf("Its fingerprint is %s.\n", fingerprint);
	return SETUP_NEXT;
}

static bool is_selector(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (!ascii_is_alpha(*at) && !ascii_is_digit(*at) && (*at != '-' || at == text))
			return false;
	}
	return *text && strlen(text) < 64;
}

static enum setup_result ask_selector(struct setup *setup)
{
	char answer[SETUP_TEXT_MAX];
	struct clock_date date;
	enum setup_result result;

	clock_date_of(clock_wall_ms(), &date);
	if (!*setup->selector)
		snprintf(setup->selector, sizeof(setup->selector), "s%u", date.year);
	setup_explain(
		"A DKIM key (RSA, 2048 bits) is made here; it signs every mail, and never leaves\n"
		"the machine. The selector is its name in DNS; each new key gets a new one.");
	for (;;) {
		result = setup_ask(setup, "DKIM selector", setup->selector, NAME_NONE, answer);
		if (result != SETUP_NEXT)
			return result;
		if (is_selector(answer))
			break;
		puts("A selector has letters, digits and hyphens, at most 63.");
	}
	slice_copy(setup->selector, sizeof(setup->selector), slice_of(answer));
	return SETUP_NEXT;
}

/* Also to authorities it is a person who accepts their terms. */
static enum setup_result ask_certificate(struct setup *setup)
{
	char answer[SETUP_TEXT_MAX];
	enum setup_result result;

	setup_explain(
		"The certificate of the machine's web pages. yes: Let's Encrypt gives one, whose\n"
		"terms you accept by that, and it is renewed by itself; the host name has to lead\n"
		"to this machine, and port 80 to be open to everybody. no: the machine makes one\n"
		"that browsers warn of, until `certificate put` brings another.");
	for (;;) {
		result = setup_ask(setup, "Certificate from Let's Encrypt",
				   setup->wants_certificate ? "yes" : "no", NAME_NONE, answer);
		if (result != SETUP_NEXT)
			return result;
		if (strcmp(answer, "yes") == 0 || strcmp(answer, "no") == 0)
			break;
		puts("It is yes or no.");
	}
	setup->wants_certificate = strcmp(answer, "yes") == 0;
	return SETUP_NEXT;
}

/* ---- the last one ---- */

static void print_list(const char *label, const struct config_list *list)
{
	printf("  %-13s", label);
	for (size_t i = 0; i < list->count; i++)
		printf(" %s", list->items[i]);
	puts(list->count == 0 ? " none" : "");
}

static enum setup_result ask_consent(struct setup *setup)
{
	const struct appliance *a = &setup->appliance;
	char answer[SETUP_TEXT_MAX];
	char fingerprint[SETUP_FINGERPRINT_SIZE] = "none; ssh stays off";
	enum setup_result result;

	if (a->ssh_keys.count > 0)
		setup_fingerprint(a->ssh_keys.items[0], fingerprint);
	printf("\nThis is what was said:\n  host name     %s\n  mail domain   %s\n", a->hostname,
	       setup->domain);
	for (u32 i = 0; i < setup->interface_count; i++) {
		struct appliance_interface *interface =
			appliance_find(&setup->appliance, setup->interfaces[i]);

		if (!interface)
			continue;
		printf("  %-13s %s\n", interface->name, method_of(setup, interface->name));
		if (interface->method == APPLIANCE_STATIC) {
			print_list("", &interface->addresses);
			printf("  %-13s gateway %s\n", "",
			       interface->gateway ? interface->gateway : "none");
		}
	}
	print_list("name servers", &a->resolvers);
	printf("  time zone     %s\n  ssh key       %s\n  DKIM selector %s\n  certificate   %s\n",
	       a->time_zone, fingerprint, setup->selector,
	       setup->wants_certificate ? "from Let's Encrypt" : "the machine's own");
	for (;;) {
		result = setup_ask(setup, "Write this down and begin (yes, or back)", NULL,
				   NAME_NONE, answer);
		if (result != SETUP_NEXT || strcmp(answer, "yes") == 0)
			return result;
		puts("yes writes it down, back goes back, Ctrl-C breaks off.");
	}
}

const struct setup_step setup_steps[] = {
	{ ask_hostname }, { ask_domain },   { ask_network }, { ask_zone },
	{ ask_key },      { ask_selector }, { ask_certificate }, { ask_consent },
};
const u32 setup_step_count = array_count(setup_steps);
